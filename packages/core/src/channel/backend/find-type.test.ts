import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, test } from "vitest";

const SOURCES = new URL("../../", import.meta.url);

/**
 * The output of a program whose core has no backend beside it, in a folder that has a package `@ojm/etcd`.
 * `change`: called with the path of that folder before the program starts.
 */
function found(options: string, change = (_: string): void => {}): { readonly out: string; readonly ran: boolean } {
  const home = realpathSync(temporaryFolder());
  for (const part of ["channel", "util"])
    cpSync(new URL(part, SOURCES), join(home, "program", part), { recursive: true });
  const backend = join(home, "folder", "node_modules", "@ojm", "etcd");
  mkdirSync(backend, { recursive: true });
  const code = `require("node:fs").writeFileSync("ran", ""); exports.backend = { type: "etcd", open() {} };`;
  writeFileSync(join(backend, "index.js"), code);
  const program = join(home, "program", "main.mts");
  writeFileSync(
    program,
    `import { findType } from "./channel/backend/find-type.js";
    console.log(await findType("etcd", ${options}).then(({ type }) => type, ({ message }) => message));`,
  );
  change(join(home, "folder"));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const words = ["--import", tsx, program];
  // pnpm starts programs with a NODE_PATH that has all packages.
  const env = { ...process.env, NODE_PATH: "" };
  const out = execFileSync(process.execPath, words, { cwd: join(home, "folder"), encoding: "utf8", env });
  return { out: out.trim(), ran: existsSync(join(home, "folder", "ran")) };
}

test("a package of the working folder is a type, but not where only published and installed ones count", () => {
  expect(found("{}")).toEqual({ out: "etcd", ran: true });
  expect(found("{ published: true }")).toEqual({
    out: 'channel type "etcd" is not installed: npm install @ojm/etcd',
    ran: false,
  });
});

test("a package of the working folder does not run if another user could have written it", () => {
  const { out, ran } = found("{}", (folder) => chmodSync(join(folder, "node_modules/@ojm/etcd"), 0o777));
  expect(ran).toBe(false);
  expect(out).toMatch(
    /^channel type "etcd" is not installed: npm install @ojm\/etcd\. .*node_modules\/@ojm\/etcd\/index\.js is not used: others may write to it$/,
  );
});
