import { folderWith } from "@ojm/testing/folder";
import { afterEach, expect, test } from "vitest";
import { called } from "../../../testing/called.js";
import { storeIn } from "../../../testing/store.js";

const { isTTY, columns } = process.stdout;
afterEach(() => {
  process.stdout.isTTY = isTTY;
  process.stdout.columns = columns;
});

test("on a narrow terminal, ps leaves out the fence of a run first, then its start, its place and its waiters", async () => {
  const folder = folderWith({});
  const manager = await storeIn(folder);
  const run = await manager.start("import");
  run.progress(3, 10, "orders");
  const waiting = manager.start("import", { wait: 60_000 });
  await expect.poll(async () => (await manager.heldLocks())[0]?.waiting).toBe(1);
  await expect.poll(async () => (await manager.progress(run))?.done).toBe(3);
  process.stdout.isTTY = true;
  const shown: string[] = [];
  for (const width of [160, 80, 60, 44, 33]) {
    process.stdout.columns = width;
    const { out } = await called(folder, ["ps", "--time", "iso", "--store", "sqlite:ojm.db"]);
    shown.push(out.split("\n", 1).join().replace(/ +/g, " "));
  }
  await run.end();
  await (await waiting).end();
  expect(shown).toEqual([
    "RUN WHERE SINCE ELAPSED PROGRESS WAITING FENCE",
    "RUN WHERE SINCE ELAPSED PROGRESS WAITING",
    "RUN WHERE ELAPSED PROGRESS WAITING",
    "RUN ELAPSED PROGRESS WAITING",
    "RUN ELAPSED PROGRESS",
  ]);
});
