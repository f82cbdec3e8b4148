import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { called } from "../../testing/called.js";
import { storeIn } from "../../testing/store.js";

test("ojm why of a run says how it ended and what changed since the last success; --at asks about a time", async () => {
  const folder = folderWith({});
  const manager = await storeIn(folder);
  const { record: well } = await manager.run("import", () => {});
  const failed = await manager.start("import");
  await failed.fail(new Error("connect ECONNREFUSED"));
  const why = (...words: string[]) => called(folder, ["why", ...words, "--store", "sqlite:ojm.db"]);
  const ofRun = await why(failed.id, "--json");
  expect([ofRun.code, JSON.parse(ofRun.out)]).toMatchObject([
    0,
    [
      {
        code: "last",
        text: expect.stringMatching(/failed at \S+: connect ECONNREFUSED$/),
        help: expect.stringContaining("ojm logs "),
      },
      { code: "before", help: `ojm show ${well.id}` },
    ],
  ]);
  const begin = await why(failed.id.slice(0, -1), "--json");
  expect([begin.code, begin.out]).toEqual([0, ofRun.out]);
  const then = await why("import", "--at", well.startDate);
  expect([then.code, then.out]).toEqual([
    0,
    expect.stringMatching(/no tick at \S+ is recorded[\s\S]*connect ECONNREFUSED/),
  ]);
  const unknown = await why("improt", "--at", well.startDate);
  expect([unknown.code, unknown.err]).toEqual([3, expect.stringContaining("import")]);
  expect((await why("import", "--at", "2 o'clock")).code).toBe(2);
  expect((await why("import", "--at", "00:00")).code).toBe(0);
  expect((await why(failed.id, "--at", "1h")).err).toContain("which has its own time: leave out --at");
  expect((await why("import@2026-11-25T02:00:00.000Z")).code).toBe(3);
});
