import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ChannelError } from "@ojm/core";
import { expect, test } from "vitest";
import { called } from "../testing/called.js";
import { folderWith } from "../testing/ojm.js";
import { explained } from "./explain.js";

/** A folder with a package that is there, but not built. */
function notBuilt(name: string): string {
  const folder = folderWith({});
  const at = join(folder, "node_modules", name);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "package.json"), JSON.stringify({ name, type: "module", exports: "./dist/index.js" }));
  return folder;
}

function errorOf(load: () => unknown): Error {
  try {
    load();
  } catch (error) {
    return error as Error;
  }
  throw new Error("the package was found");
}

test("a backend of ojm whose package is there, but not built, ends with 2 and says how to build or install it", async () => {
  const folder = notBuilt("@ojm/redis");
  const cause = errorOf(() => createRequire(join(folder, "-"))("@ojm/redis"));
  const text = `the backend of channel type "redis" could not be loaded: ${cause.message}`;
  const told = explained(new ChannelError("FAILED", text, { cause }));
  expect(told).toMatchObject({
    code: 2,
    message: expect.stringMatching(
      /could not be loaded: .*dist.index\.js.*\. Install it: npm install @ojm\/redis; in a clone of ojm, build it: npm run build$/,
    ),
  });
});

test("a backend of the user whose module misses another one ends with 2", async () => {
  const folder = folderWith({ "own.mjs": 'import "./dist/index.js";\n' });
  const store = { type: join(folder, "own.mjs"), args: {} };
  writeFileSync(join(folder, "ojm.config.json"), JSON.stringify({ store }));
  expect(await called(folder, ["ps"])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/own\.mjs" could not be loaded: .*dist.index\.js.*\. Install or build it again\n$/),
  });
});

test("any other failure of a store is a store that is away", () => {
  expect(explained(new ChannelError("FAILED", "an answer that makes no sense"))).toMatchObject({ code: 5 });
});

test("a job file that is not there is told like all errors, as text and as JSON", async () => {
  const folder = folderWith({});
  const file = join(folder, "none.yaml");
  const text = await called(folder, ["ps", "--store", "none.yaml"]);
  expect(text).toEqual({ code: 2, out: "", err: `ojm: there is no file ${file}.\n` });
  const json = await called(folder, ["ps", "--store", "none.yaml", "--json"]);
  expect(JSON.parse(json.err)).toEqual({ error: { code: "usage", exit: 2, message: `there is no file ${file}.` } });
});
