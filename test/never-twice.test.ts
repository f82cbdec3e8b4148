import { JobManager, type RunRecord } from "@ojm/core";
import { expect, it } from "vitest";
import { startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";
import { Witness } from "./support/witness.js";

const PROCESSES = 16;
const RUNS = 200;

onSharedStores((create) => {
  it(`${PROCESSES} processes × ${RUNS} runs of one name are never two at once, and each leaves its record`, async () => {
    const options = await create();
    const witness = new Witness();
    const children = Array.from({ length: PROCESSES }, () =>
      startChild("contender.child.ts", [JSON.stringify(options), "job", String(RUNS)]),
    );
    for (const child of children) witness.observe(child.process);
    const codes = await Promise.all(children.map(({ ended }) => ended));

    expect(children.map(({ output }) => output.stderr).join("")).toBe("");
    expect(codes).toEqual(Array(PROCESSES).fill(0));
    expect(witness.violations).toEqual([]);
    expect(witness.entered).toBe(PROCESSES * RUNS);

    await using manager = await JobManager.init(options);
    const records: RunRecord[] = [];
    for await (const record of manager.history({ name: "job" })) records.push(record);
    expect(records).toHaveLength(PROCESSES * RUNS);
    expect(records.filter(({ status }) => status !== "completed")).toEqual([]);
    expect(new Set(records.map(({ fence }) => fence)).size).toBe(PROCESSES * RUNS);
    expect(await manager.locks()).toEqual([]);
    expect(await manager.running()).toEqual([]);
  }, 300_000);
});
