import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./run.mjs";

/** The tests of the repository, as paths from its root. */
export function testFiles() {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  return listed.split("\n").filter((file) => /\.test\.tsx?$/.test(file) && existsSync(join(root, file)));
}

/** The files of which `npm test` leaves out every test: by `@module-tag full` in their first comment. */
export function leftWhole() {
  return testFiles().filter((file) =>
    /^\s*(\/\*\*?)?[^;]*@module-tag full\b/.test(readFileSync(join(root, file), "utf8").slice(0, 500)),
  );
}
