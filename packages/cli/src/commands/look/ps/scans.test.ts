import type { Channel, Key } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { expect, onTestFinished, test, vi } from "vitest";
import { called } from "../../../testing/called.js";
import { storeIn } from "../../../testing/store.js";

/** Records the kinds of entries that are scanned as a whole from now on, in all channels of this process. */
function scans(channel: Channel<never>): string[] {
  const found: string[] = [];
  const all = Object.getPrototypeOf(channel) as Channel<unknown>;
  const { entries } = all;
  const spy = vi.spyOn(all, "entries").mockImplementation(function (this: Channel<unknown>, options = {}) {
    const { prefix } = options as { readonly prefix?: Key };
    if (Array.isArray(prefix) && prefix.length === 1) found.push(String(prefix[0]));
    return entries.call(this, options);
  });
  onTestFinished(() => spy.mockRestore());
  return found;
}

test("ojm ps scans the locks once, and each other kind of entry at most once", async () => {
  const folder = folderWith({});
  const manager = await storeIn(folder);
  const run = await manager.start("import");
  const waits = manager.start("import", { wait: 60_000 });
  waits.catch(() => {});
  await expect.poll(async () => (await manager.waiters("import")).length).toBe(1);
  await manager.hold("held", { reason: "a look" });
  const over = new AbortController();
  const retry = { attempts: 2, delay: 3_600_000 };
  const tried = manager.run("tried", () => Promise.reject(new Error("no")), { retry, signal: over.signal });
  tried.catch(() => {});
  await expect.poll(async () => (await manager.retries()).length).toBe(1);
  const found = scans(manager.channels.locks as Channel<never>);
  const locks = (): number => found.splice(0).filter((kind) => kind === "lock").length;
  // Each manager that opens the store searches for leftovers of dead processes. Background sweeps only add to
  // that.
  const opened: number[] = [];
  for (let i = 0; i < 3; i++) {
    found.length = 0;
    await (await storeIn(folder)).heldLocks();
    opened.push(locks());
  }
  for (const more of [[], ["--json"]]) {
    const ps = async (): Promise<number> => {
      found.length = 0;
      const { code, out } = await called(folder, ["ps", "--store", "sqlite:ojm.db", ...more]);
      expect([code, out]).toEqual([0, expect.stringContaining("import")]);
      for (const kind of ["retry", "exec"]) expect(found.filter((one) => one === kind)).toHaveLength(1);
      for (const kind of ["schedule", "cursor", "member"]) expect(found).not.toContain(kind);
      return locks();
    };
    await expect.poll(ps).toBe(Math.min(...opened));
  }
  await run.end();
  await (await waits).end();
  over.abort();
});
