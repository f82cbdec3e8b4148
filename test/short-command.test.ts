import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openJobManager, type RunRecord } from "@ojm/core";
import { expect, it, onTestFinished } from "vitest";
import { type Ended, Ojm } from "../packages/cli/src/testing/ojm.js";
import { folderWithStore } from "./support/store-config.js";
import { onSharedStores } from "./support/stores.js";

/** Its last tick does not change while a test runs. */
const YEARLY = "0 0 1 1 *";

const OPTIONS: readonly { readonly with: string; readonly options: readonly string[] }[] = [
  { with: "--once-per", options: ["--once-per", "1h"] },
  { with: "--tick", options: ["--tick", YEARLY, "--time-zone", "local"] },
  { with: "the lock alone", options: [] },
];

/** A machine on which cron starts a short command that records its run. */
function machine(folder: string, options: readonly string[], command = "echo ran >> ran.txt"): Promise<Ended> {
  const ojm = new Ojm(folder, ["exec", "short", ...options, "--", "sh", "-c", command]);
  onTestFinished(() => void ojm.process.kill("SIGKILL"));
  return ojm.ended;
}

const ran = (folder: string): number => readFileSync(join(folder, "ran.txt"), "utf8").split("\n").length - 1;

onSharedStores({ first: ["sqlite, one file"] }, (create) => {
  it.each(OPTIONS)("a short command on three machines, one after the other, with $with", async ({ options }) => {
    const store = await create();
    const folder = folderWithStore(store);
    const ends: Ended[] = [];
    // Each one starts when the one before has ended: a lock alone lets all three run.
    for (let i = 0; i < 3; i++) ends.push(await machine(folder, options));
    const expected = options.length === 0 ? [0, 0, 0] : [0, 76, 76];
    expect(ends.map(({ code }) => code)).toEqual(expected);
    expect(ran(folder)).toBe(expected.filter((code) => code === 0).length);
    if (options.length === 0) return;
    expect(ends[1]?.err).toMatch(/^ojm: "short" was not started: short@.* started at .* is skipped( for |$)/m);
    await using manager = await openJobManager(store);
    const records: RunRecord[] = [];
    for await (const record of manager.history()) records.push(record);
    expect(records).toMatchObject([{ name: "short", status: "completed", meta: { command: "sh" } }]);
    expect((await manager.why("short")).map(({ code }) => code)).toEqual(["once", "last"]);
  });

  it("a command that fails on the first of three machines that start it at once is not run by the others", async () => {
    const folder = folderWithStore(await create());
    const command = "echo ran >> ran.txt; exit 3";
    const options = ["--once-per", "1h", "--wait", "10m", "--quiet-if-locked"];
    const ends = await Promise.all([1, 2, 3].map(() => machine(folder, options, command)));
    expect(ends.map(({ code }) => code).toSorted()).toEqual([3, 76, 76]);
    for (const { code, err } of ends) if (code === 76) expect(err).not.toContain("was not started");
    expect(ran(folder)).toBe(1);
  });
});
