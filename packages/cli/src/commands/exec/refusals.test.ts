import type { Channel, JobManager } from "@ojm/core";
import { beforeEach, expect, test } from "vitest";
import { folderWith } from "../../testing/ojm.js";
import { storeIn } from "../../testing/store.js";
import { noteRefusal, sayRefusals } from "./refusals.js";

let manager: JobManager;
beforeEach(async () => {
  manager = await storeIn(folderWith({}));
});

test("refusals at once are all counted, and those from before the last run are not", async () => {
  expect(await sayRefusals(manager, "a")).toBeUndefined();
  await Promise.all(Array.from({ length: 5 }, () => noteRefusal(manager, "a", "held by x")));
  expect(await sayRefusals(manager, "a")).toMatch(/^5 starts by ojm exec were refused since .* pid \d+: held by x$/);
  expect(await sayRefusals(manager, "b")).toBeUndefined();
  await manager.run("a", () => {});
  expect(await sayRefusals(manager, "a")).toBeUndefined();
});

test("what somebody else wrote there is no refusal, and the next note takes its place", async () => {
  const locks = manager.channels.locks as Channel<unknown>;
  for (const value of [null, 5, { times: "x" }, { times: [1], host: 5 }]) {
    await locks.set(["exec-refused", "a"], value);
    expect([value, await sayRefusals(manager, "a")]).toEqual([value, undefined]);
  }
  await noteRefusal(manager, "a", "held by y\u001b[2J");
  const told = await sayRefusals(manager, "a");
  expect(told).toMatch(/^a start by ojm exec was refused at /);
  expect(told).not.toContain("\u001b");
});
