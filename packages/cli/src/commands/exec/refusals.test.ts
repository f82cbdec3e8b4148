import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Channel, JobManager } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, expect, test } from "vitest";
import { ojm } from "../../testing/ojm.js";
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

test.each([
  [["--once-per", "0"], /--once-per must be more than 0/],
  [["--once-per", "1h", "--tick", "0 2 * * *"], /exclude each other/],
  [["--once-key", "a"], /--once-key and --keep need each other/],
  [["--once-key", "a", "--keep", "1d", "--lock", "a"], /--once-key and --lock exclude each other/],
  [["--once-key", "", "--keep", "1d"], /--once-key: key of once must be a text/],
  [["--time-zone", "local"], /--time-zone is the time zone of --tick/],
  [["--tick", "61 * * * *"], /--tick: .*minute/],
  [["--tick", "0 2 * * *", "--time-zone", "Mars"], /--tick: .*Mars/],
])("a wrong option of what runs once is refused, and nothing runs: %j", async (options, message) => {
  const folder = folderWith({});
  const { code, err } = await ojm(folder, "exec", "a", "--store", "sqlite:ojm.db", ...options, "--", "touch", "ran");
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) });
  expect(existsSync(join(folder, "ran"))).toBe(false);
});

test("an entry there that another program wrote is not a refusal, and the next note takes its place", async () => {
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
