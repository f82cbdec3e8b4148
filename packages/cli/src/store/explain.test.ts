import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChannelError } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { expect, onTestFinished, test, vi } from "vitest";
import { called } from "../testing/called.js";
import { ojm } from "../testing/ojm.js";
import { explained } from "./explain.js";

test("a package of a clone that is not built ends a command with 2, in the words of core", async () => {
  const folder = folderWith({});
  const at = join(folder, "clone/packages/mine");
  mkdirSync(at, { recursive: true });
  mkdirSync(join(folder, "node_modules/@ojm"), { recursive: true });
  writeFileSync(join(at, "package.json"), JSON.stringify({ name: "@ojm/mine", exports: "./dist/index.js" }));
  symlinkSync(at, join(folder, "node_modules/@ojm/mine"));
  writeFileSync(join(folder, "ojm.config.json"), JSON.stringify({ store: { type: "mine" } }));
  const ended = {
    code: 2,
    err: expect.stringMatching(/the package @ojm\/mine is not built: run npm run build in .*clone\n$/),
  };
  expect(await called(folder, ["ps"])).toMatchObject(ended);
  writeFileSync(
    join(folder, "jobs.yaml"),
    "include: [oJobManager.yaml]\njobs:\n- { name: Init, to: oJobManager Init, args: { chJobs: { type: mine } } }\ntodo: [Init]\n",
  );
  expect(await ojm(folder, "run", "jobs.yaml")).toMatchObject({
    code: 2,
    err: expect.stringMatching(/jobs\.yaml:3.*the package @ojm\/mine is not built: run npm run build in .*clone/),
  });
});

test("a backend of the user whose module misses another one ends with 2", async () => {
  const folder = folderWith({ "own.mjs": 'import "./dist/index.js";\n' });
  const store = { type: join(folder, "own.mjs"), args: {} };
  writeFileSync(join(folder, "ojm.config.json"), JSON.stringify({ store }));
  vi.stubEnv("OJM_CONFIG", "ojm.config.json");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await called(folder, ["ps"])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/own\.mjs" could not be loaded: .*dist.index\.js.*\. Install or build it again\n$/),
  });
});

test("a store that takes no writes for now is a store that is away", () => {
  expect(explained(new ChannelError("READ_ONLY", "a standby", { retryable: true }))).toMatchObject({ code: 5 });
  expect(explained(new ChannelError("READ_ONLY", "a file"))).toMatchObject({ code: 4 });
});

test("any other failure of a store is a store that is away", () => {
  expect(explained(new ChannelError("FAILED", "an answer that makes no sense"))).toMatchObject({ code: 5 });
});

test.each(["INVALID_VALUE", "INVALID_KEY", "TOO_LARGE"] as const)("what no store takes is a wrong use: %s", (code) => {
  expect(explained(new ChannelError(code, "not this"))).toMatchObject({ code: 2 });
});

test("an error with a code ends with the address of its explanation, except in JSON", async () => {
  const folder = folderWith({ "a.db": `SQLite format 3\0${"x".repeat(8_192)}` });
  const text = await called(folder, ["ps", "--store", "sqlite:a.db"]);
  const page = "https://github.com/ojm-project/ojm/blob/main/docs/on-call/errors.md#corrupt";
  expect(text).toEqual({ code: 5, out: "", err: expect.stringMatching(/^ojm: [^\n]+\nSee [^\n]+\n$/) });
  expect(text.err).toContain(`\nSee ${page}\n`);
  const json = await called(folder, ["ps", "--store", "sqlite:a.db", "--json"]);
  expect(JSON.parse(json.err)).toMatchObject({ error: { code: "away", exit: 5 } });
  expect(json.err).not.toContain("errors.md");
});

test("an error about a wrong command line has no address: its message says what to write", async () => {
  const { code, err } = await called(folderWith({}), ["ps", "--store", "redis://127.0.0.1:99999"]);
  expect([code, err]).toEqual([2, expect.stringMatching(/^ojm: [^\n]+\n$/)]);
});

test("a missing job file is reported like all errors, as text and as JSON", async () => {
  const folder = folderWith({});
  const file = join(folder, "none.yaml");
  const text = await called(folder, ["ps", "--store", "none.yaml"]);
  expect(text).toEqual({ code: 2, out: "", err: `ojm: there is no file ${file}.\n` });
  const json = await called(folder, ["ps", "--store", "none.yaml", "--json"]);
  expect(JSON.parse(json.err)).toEqual({ error: { code: "usage", exit: 2, message: `there is no file ${file}.` } });
});
