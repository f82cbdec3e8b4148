import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../run.mjs";

/** The most columns of a comment. Code may take 120, see biome.json. */
const MAX_COLUMNS = 110;

const COMMENT = /^\s*(\*|\/\/|\/\*)/;
const ADDRESS = /https?:\/\//;
const SOURCE = /\.(ts|tsx|mts|mjs|cjs|js)$/;

/** Prints each comment that is wider than a reader's column. Returns an exit code. */
export function checkComments() {
  const wide = sources().flatMap(wideCommentsOf);
  for (const each of wide) console.error(each);
  return wide.length === 0 ? 0 : 1;
}

function wideCommentsOf(file) {
  return readFileSync(join(root, file), "utf8")
    .split("\n")
    .flatMap((line, i) =>
      COMMENT.test(line) && !ADDRESS.test(line) && [...line].length > MAX_COLUMNS
        ? [`${file}:${i + 1}: a comment of ${[...line].length} columns, at most ${MAX_COLUMNS}`]
        : [],
    );
}

function sources() {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  return listed.split("\n").filter((file) => SOURCE.test(file) && existsSync(join(root, file)));
}
