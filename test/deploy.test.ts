/**
 * The simulations of locks and schedules have the laws of a close in `npm test`.
 *
 * @module-tag full
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManager, type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleDefinition, type ScheduleTick } from "@ojm/schedule";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it, vi } from "vitest";
import { checkChains } from "../packages/core/src/testing/simulation/chains.js";
import { type Child, startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

/**
 * Continuous deploys: of three replicas, the oldest is asked to end again and again, after a newer one has
 * started. OJM_DEPLOY_SECONDS=300 OJM_DEPLOY_EVERY=5000 OJM_DEPLOY_CLEANS=1500 lasts five minutes.
 */
const SECONDS = Number(process.env["OJM_DEPLOY_SECONDS"] ?? 6);
const BETWEEN = Number(process.env["OJM_DEPLOY_EVERY"] ?? 1_200);
const CLEANS = Number(process.env["OJM_DEPLOY_CLEANS"] ?? 500);
const TAKES = 900;
const EVERY = 1_000;
const REPLICAS = 3;
/** A lower bound: a machine under load starts few processes in that time. */
const DEPLOYS = 4;
const SETTLES = 60_000;

const retry = { attempts: 2, delay: 300, backoff: "fixed" } as const;
const schedules: Readonly<Record<string, ScheduleDefinition>> = {
  plain: { every: EVERY },
  retried: { every: EVERY, overlap: "queue", missed: "all", retry },
};

interface Note {
  readonly what: "begin" | "end";
  readonly id: string;
  readonly name: string;
}

async function replica(options: JobManagerOptions, file: string): Promise<Child> {
  const args = [JSON.stringify(options), JSON.stringify(schedules), file, `${TAKES}`, `${CLEANS}`];
  const child = startChild("schedule/deployed.child.ts", args);
  expect(await child.message()).toBe("ready");
  return child;
}

/**
 * How often two functions of one name were running at once: no other function may begin between a begin and
 * its end.
 */
function overlaps(file: string): { readonly overlaps: string[]; readonly begun: number } {
  const running = new Map<string, string>();
  const found: string[] = [];
  let begun = 0;
  for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1)) {
    const { what, id, name } = JSON.parse(line) as Note;
    const other = running.get(name);
    if (what === "end") running.delete(name);
    else {
      begun++;
      if (other !== undefined) found.push(`${id} begins while ${other} is running`);
      running.set(name, id);
    }
  }
  return { overlaps: found, begun };
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all.reverse();
}

/** Each tick from the first to the last has one outcome, and one that was run has its run. */
function checkTicks(ticks: readonly ScheduleTick[], records: readonly RunRecord[]): void {
  const [first] = ticks;
  let next = first?.at ?? 0;
  for (const { at, until = at, outcome, run } of ticks) {
    expect(at).toBe(next);
    next = until + EVERY;
    if (outcome === "run") expect(records.find(({ id }) => id === run)?.tick).toBe(at);
  }
}

/** Nothing runs, and no attempt waits. */
async function settled(manager: JobManager): Promise<void> {
  const left = async (): Promise<void> => {
    expect([(await manager.heldLocks()).length, (await manager.retries()).length]).toEqual([0, 0]);
  };
  await vi.waitFor(left, { interval: 100, timeout: SETTLES });
}

onSharedStores({ only: ["sqlite, one file", "redis"], first: [] }, (create) => {
  it("deploys do not overlap: job functions clean up, attempts go to the next process, ticks have one outcome", async () => {
    const options = await create();
    const file = join(temporaryFolder(), "functions.jsonl");
    writeFileSync(file, "");
    await using manager = await openJobManager(options);
    const replicas: Child[] = [];
    for (let i = 0; i < REPLICAS; i++) replicas.push(await replica(options, file));
    let deploys = 0;
    for (const end = performance.now() + SECONDS * 1_000; performance.now() < end || deploys < DEPLOYS; deploys++) {
      await pause(BETWEEN);
      replicas.push(await replica(options, file));
      const oldest = replicas.shift() as Child;
      oldest.process.kill("SIGTERM");
      expect(await oldest.ended, oldest.output.stderr).toBe(0);
    }
    await using scheduler = openScheduler(manager);
    for (const name of Object.keys(schedules)) await scheduler.pause(name, { reason: "the test is over" });
    await settled(manager);
    for (const { process } of replicas) process.kill("SIGTERM");
    for (const { ended } of replicas) expect(await ended).toBe(0);
    const seen = overlaps(file);
    expect(seen.overlaps).toEqual([]);
    const counts: Record<string, number> = { deploys, functions: seen.begun };
    for (const name of Object.keys(schedules)) {
      const records = await collected(manager.history({ name }));
      const ticks = await collected(scheduler.ticks(name));
      checkChains(records, await manager.retries(name));
      checkTicks(ticks, records);
      for (const { status, handedOver } of records) {
        const how = handedOver === true ? "handed over" : status;
        counts[how] = (counts[how] ?? 0) + 1;
      }
      counts[`ticks of ${name}`] = ticks.reduce((sum, { count = 1 }) => sum + count, 0);
      // A function that obeys its signal is not lost, and a deploy does not use up an attempt.
      const how = new Set(
        records.map(({ status, attempt = 1, error }) => `${status} ${attempt}${status === "lost" ? `: ${error}` : ""}`),
      );
      const expected = name === "plain" ? ["completed 1", "cancelled 1", "skipped 1"] : ["completed 1", "skipped 1"];
      expect([...how].filter((each) => !expected.includes(each))).toEqual([]);
    }
    if (process.env["OJM_DEPLOY_SECONDS"] !== undefined) console.log(JSON.stringify(counts));
  });
});
