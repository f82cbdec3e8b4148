import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { channelErrorOf, notBuilt } from "./driver-errors.js";

test.each([
  ["ERR_MODULE_NOT_FOUND", "Cannot find package 'ioredis' imported from /srv/app/index.js", "ioredis"],
  ["MODULE_NOT_FOUND", "Cannot find module '@scope/driver/part'", "@scope/driver"],
])("a driver that is not installed is an unknown type, with the line that installs it: %s", (code, text, name) => {
  const error = channelErrorOf(Object.assign(new Error(text), { code }), "not-applied");
  expect(error.code).toBe("UNKNOWN_TYPE");
  expect(error.message).toBe(`the package "${name}" of the backend is not installed: npm install ${name}`);
});

test("a file that a driver misses is a fault of it, and no package to install", () => {
  const cause = Object.assign(new Error("Cannot find module '/srv/x.js'"), { code: "ERR_MODULE_NOT_FOUND" });
  expect(channelErrorOf(cause, "not-applied").code).toBe("FAILED");
});

/** Node's error for a package in a folder of `at` that has a manifest but lacks its program. */
function errorOfUnbuilt(at: string, name: string): { readonly error: unknown; readonly folder: string } {
  const folder = realpathSync(temporaryFolder());
  mkdirSync(join(folder, at), { recursive: true });
  writeFileSync(join(folder, at, "package.json"), JSON.stringify({ name, exports: "./dist/index.js" }));
  try {
    createRequire(join(folder, "-"))(join(folder, at, "dist/index.js"));
  } catch (error) {
    return { error, folder };
  }
  throw new Error("the package was found");
}

test("a package of a clone that is not built is known by the error of its import", () => {
  const { error, folder } = errorOfUnbuilt("packages/store", "@ojm/store");
  expect(notBuilt(error)).toBe(`the package @ojm/store is not built: run npm run build in ${folder}`);
});

test.each([
  ["an installed package that lacks its program", "node_modules/@ojm/store", "@ojm/store"],
  ["a package of others", "packages/store", "store"],
])("%s is not taken for a package to build", (_, at, name) => {
  expect(notBuilt(errorOfUnbuilt(at, name).error)).toBeUndefined();
});

test("an error that is not of an import is not taken for a package to build", () => {
  for (const error of [new Error("Cannot find module '/x/dist/index.js'"), undefined, "text"]) {
    expect(notBuilt(error)).toBeUndefined();
  }
});
