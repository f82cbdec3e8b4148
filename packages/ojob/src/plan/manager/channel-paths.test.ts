import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Args } from "../../load/job-file.js";
import { SourceFile } from "../../text/source-file.js";
import { mergeArgs } from "../args.js";
import { placeChannels } from "./channel-paths.js";

const at = { source: new SourceFile("a.yaml", "/jobs/a.yaml", ""), line: 1, column: 1 };
const pathsOf = async (type: string): Promise<readonly string[]> =>
  ({ sqlite: ["file"], "/jobs/own.mjs": ["one", "two"] })[type] ?? [];

/** The channel of the records after its templates and paths are known. */
async function placed(chJobs: unknown, typed: Args = {}, more: Args = {}): Promise<unknown> {
  const own = { ...more, chJobs };
  const args = mergeArgs({ own, given: {}, commandLine: typed }, () => {});
  return (await placeChannels(args, own, { at, typed, pathsOf }))["chJobs"];
}

const sqlite = (file: string): object => ({ type: "sqlite", args: { file, durability: "host" } });

describe("paths of channels in a job file", () => {
  test.each([
    ["./data/a.db", "/jobs/data/a.db"],
    ["a.db", "/jobs/a.db"],
    ["../a.db", "/a.db"],
    ["/srv/a.db", "/srv/a.db"],
    ["", ""],
    [":memory:", ":memory:"],
  ])("the path %j means %j", async (said, meant) => {
    expect(await placed(sqlite(said))).toEqual(sqlite(meant));
  });

  test("a path with templates begins at the folder of the file, once they are filled", async () => {
    expect(await placed(sqlite("./{{env}}/a.db"), { env: "test" })).toEqual(sqlite("/jobs/test/a.db"));
    expect(await placed(sqlite("{{folder}}/a.db"), { folder: "/srv" })).toEqual(sqlite("/srv/a.db"));
    expect(await placed(sqlite("{{db}}"), {}, { db: "b.db" })).toEqual(sqlite("/jobs/b.db"));
    expect(await placed("{{init.store}}", {}, { init: { store: sqlite("b.db") } })).toEqual(sqlite("/jobs/b.db"));
  });

  test("a path that was typed on the command line as a whole begins at the working directory", async () => {
    expect(await placed(sqlite("{{db}}"), { db: "./b.db" })).toEqual(sqlite(join(process.cwd(), "b.db")));
    expect(await placed({ type: "{{own}}" }, { own: "./b.mjs" })).toEqual({ type: join(process.cwd(), "b.mjs") });
  });

  test("a type tells which of its options are paths, also a type of the user's own, whose path is one too", async () => {
    const config = { type: "./own.mjs", args: { one: "a", two: "b", three: "c", url: "./d" } };
    expect(await placed(config)).toEqual({
      type: "/jobs/own.mjs",
      args: { one: "/jobs/a", two: "/jobs/b", three: "c", url: "./d" },
    });
    expect(await placed({ type: "redis", args: { url: "redis://h" } })).toEqual({
      type: "redis",
      args: { url: "redis://h" },
    });
  });

  test("arguments that the file does not say stay as they are: a script or the caller has given them", async () => {
    const args = { chJobs: sqlite("./a.db"), chLocks: sqlite("./b.db") };
    expect(await placeChannels(args, { chLocks: args.chLocks }, { at, typed: {}, pathsOf })).toEqual({
      chJobs: sqlite("./a.db"),
      chLocks: sqlite("/jobs/b.db"),
    });
  });

  test.each([
    [undefined],
    [null],
    ["simple"],
    [{ type: 5 }],
    [{ args: { file: "./a" } }],
    [{ type: "sqlite", args: 5 }],
  ])("what is no channel with paths stays as it is: %j", async (config) =>
    expect(await placed(config)).toEqual(config),
  );
});
