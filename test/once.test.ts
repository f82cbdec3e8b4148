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
    const children = Array.from({ length: PROCESSES }, (_, i) =>
      startChild("once.child.ts", [JSON.stringify(options), String(KEYS), String(i)]),
    );
    const [killed, ...others] = children;
    const results: Record<string, string>[] = [];
    for (const child of others)
      child.process.on("message", (message: { results?: Record<string, string> }) => {
        if (message.results !== undefined) results.push(message.results);
      });
    // In the middle of a body.
    let begun = 0;
    killed?.process.on("message", (message: { began?: string }) => {
      if (message.began !== undefined && ++begun === 5) killed.process.kill("SIGKILL");
    });
    if (killed !== undefined) await once(killed.process, "exit");
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
