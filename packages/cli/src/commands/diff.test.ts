import type { JobManager } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, expect, test } from "vitest";
import { called } from "../testing/called.js";
import type { Ended } from "../testing/ojm.js";
import { storeIn } from "../testing/store.js";

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

const diff = (...words: readonly string[]): Promise<Ended> =>
  called(folder, ["diff", ...words, "--store", "sqlite:ojm.db"]);

async function ran(lines: readonly string[], error?: string): Promise<string> {
  const run = await manager.start("import");
  for (const line of lines) run.log.info(line);
  await (error === undefined ? run.end() : run.fail(new Error(error)));
  return run.id;
}

test("compares a run with the last success before it: what differs, and the logs without their numbers", async () => {
  const rows = Array.from({ length: 20 }, (_, i) => `row ${i}`);
  const first = await ran([...rows, "check 20 rows", "done"]);
  const last = await ran([...rows, "retry after 3 s", "check 21 rows", "no \u001b[31mconnection"], "no connection");
  const { code, out, err } = await diff("import");
  expect([code, err]).toEqual([0, ""]);
  const lines = out.split("\n").filter((line) => !line.includes(" → "));
  expect(lines.slice(0, 2)).toEqual([`- run: ${first}`, `+ run: ${last}`]);
  expect(lines.slice(2)).toEqual([
    expect.stringMatching(/^- status: completed, took /),
    expect.stringMatching(/^\+ status: failed, took /),
    "+ error: no connection",
    "@@ 17 equal lines, up to line 17",
    ...["  row 17", "  row 18", "  row 19", "+ retry after 3 s", "  check 21 rows", "- done"],
    ...["+ no \\u001b[31mconnection", ""],
  ]);
  expect((await diff(last, first)).out).toContain("- retry after 3 s");
  expect((await diff(first, first)).out).toContain("The logs have no difference");
});

test("says what it needs", async () => {
  const id = await ran([], "no route");
  expect(await diff()).toMatchObject({ code: 2, err: expect.stringContaining("needs one run or two") });
  expect(await diff(id)).toMatchObject({ code: 3, err: expect.stringContaining('no run of "import" before') });
  expect(await diff("a", "b", "c")).toMatchObject({ code: 2 });
});
