import { once } from "node:events";
import { openJobManager, type RunRecord } from "@ojm/core";
import { expect, it } from "vitest";
import { startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

const PROCESSES = 4;
const KEYS = 50;

onSharedStores({}, (create) => {
  it(`of ${PROCESSES} processes that complete the same ${KEYS} keys, one of them killed, each key is completed once, with one result`, {
    timeout: 300_000,
  }, async () => {
    const options = await create();
    const start = (i: number, ...more: string[]) =>
      startChild("once.child.ts", [JSON.stringify(options), String(KEYS), String(i), ...more]);
    /** Resolves once the process has sent `count` messages with this field. */
    const sent = ({ process: child }: ReturnType<typeof start>, field: string, count = 1): Promise<void> =>
      new Promise((resolve) => {
        child.on("message", (message: object) => {
          if (field in message && --count === 0) resolve();
        });
      });
    // Its fifth body does not return.
    const killed = start(0, "5");
    await sent(killed, "began", 5);
    const others = Array.from({ length: PROCESSES - 1 }, (_, i) => start(i + 1));
    const results: Record<string, string>[] = [];
    for (const child of others)
      child.process.on("message", (message: { results?: Record<string, string> }) => {
        if (message.results !== undefined) results.push(message.results);
      });
    await Promise.all(others.map((child) => sent(child, "ready")));
    killed.process.kill("SIGKILL");
    await once(killed.process, "exit");
    const codes = await Promise.all(others.map(({ ended }) => ended));
    expect(others.map(({ output }) => output.stderr).join("")).toBe("");
    expect(codes).toEqual([0, 0, 0]);

    await using manager = await openJobManager(options);
    const completed = new Map<string, RunRecord[]>();
    let lost = 0;
    for await (const record of manager.history({ name: "job" })) {
      const { lock = "", status } = record;
      if (status === "completed") completed.set(lock, [...(completed.get(lock) ?? []), record]);
      else lost++;
    }
    expect(lost).toBe(1);
    const table = await manager.channel<string>("table");
    for (let i = 0; i < KEYS; i++) {
      const runs = completed.get(`once/job/k${i}`) ?? [];
      expect(runs).toHaveLength(1);
      expect(runs[0]?.fence).toBe(await table.get(`k${i}`));
      for (const each of results) expect(each[`k${i}`]).toBe(runs[0]?.fence);
    }
    expect(results).toHaveLength(PROCESSES - 1);
    expect(await manager.heldLocks()).toEqual([]);
  });
});
