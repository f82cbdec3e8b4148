import type { Channel } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { expect, onTestFinished, test, vi } from "vitest";
import { called } from "../../testing/called.js";
import { storeIn } from "../../testing/store.js";

const NAMES = 80;

/** Counts the reads of entries and keys from now on, in all channels of this process. */
function reads(channel: Channel<never>): { count: number } {
  const counter = { count: 0 };
  const all = Object.getPrototypeOf(channel) as Channel<unknown>;
  for (const method of ["entries", "keys", "entry", "get"] as const) {
    const read = all[method] as (...args: unknown[]) => unknown;
    const spy = vi.spyOn(all, method).mockImplementation(function (this: Channel<unknown>, ...args: unknown[]) {
      counter.count++;
      return read.apply(this, args) as never;
    });
    onTestFinished(() => spy.mockRestore());
  }
  return counter;
}

test("a command about one name of the store does not read the other names one by one", async () => {
  const folder = folderWith({});
  const manager = await storeIn(folder);
  await using scheduler = openScheduler(manager);
  for (let i = 0; i < NAMES; i++) await manager.run(`job-${i}`, () => {});
  await scheduler.add("job-1", { cron: "0 0 29 2 *" }, () => {});
  await scheduler.add("job-10", { cron: "0 0 29 2 *" }, () => {});
  await scheduler.add("scheduled", { cron: "0 0 29 2 *" }, () => {});
  const found = reads(manager.channels.locks as Channel<never>);
  for (const [command, name, text] of [
    ["runs", "job-1", /^job-1 /m],
    ["runs", "scheduled", /^"scheduled" never ran\. Names that have runs: job-0, /],
    ["jobs", "job-1", /^job-1 /m],
    ["jobs", "job-2", /^job-2 /m],
    ["jobs", "scheduled", /^scheduled /m],
    ["next", "job-1", /UTC +job-1\b/m],
  ] as const) {
    found.count = 0;
    const { code, out, err } = await called(folder, [command, name, "--store", "sqlite:ojm.db"]);
    expect([code, err, out]).toEqual([0, "", expect.stringMatching(text)]);
    expect.soft({ command, name, reads: found.count }).toMatchObject({ reads: expect.toSatisfy((n) => n < NAMES / 2) });
  }
  expect((await called(folder, ["jobs", "job-1", "--json", "--store", "sqlite:ojm.db"])).out).not.toContain("job-10");
  // The control: the list of all jobs reads each of them.
  found.count = 0;
  await called(folder, ["jobs", "--store", "sqlite:ojm.db"]);
  expect(found.count).toBeGreaterThan(NAMES);
});
