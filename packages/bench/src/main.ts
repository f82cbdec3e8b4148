import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { JobManager, type JobManagerOptions } from "@ojm/core";
import type { Floor } from "./floors/floor.js";
import { memoryFloor } from "./floors/memory.js";
import { sqliteFloor } from "./floors/sqlite.js";
import { measureHandOff } from "./handoff.js";
import { atOnce, compare, inSequence, type Ratio } from "./measure.js";

const GOAL = 1.15;

interface Contest {
  readonly name: string;
  readonly count: number;
  readonly options: JobManagerOptions;
  floor(): Floor;
}

interface Row extends Ratio {
  readonly store: string;
  readonly load: string;
}

function contests(folder: string): Contest[] {
  const one = { type: "sqlite", args: { file: join(folder, "one.db") } };
  return [
    { name: "simple", count: 4_000, options: {}, floor: memoryFloor },
    {
      name: "sqlite",
      count: 2_000,
      options: { chJobs: one, chLocks: one },
      floor: () => sqliteFloor(join(folder, "floor.db")),
    },
  ];
}

async function measure(contest: Contest, rounds: number): Promise<Row[]> {
  const manager = await JobManager.init(contest.options);
  const floor = contest.floor();
  const ours = (job: string) => manager.run(job, () => undefined);
  const theirs = (job: string) => floor.run(job);
  const rows: Row[] = [];
  try {
    const { name: store, count } = contest;
    const sequence = await compare(inSequence(ours), inSequence(theirs), count, rounds);
    rows.push({ store, load: "1 name in sequence", ...sequence });
    const parallel = await compare(atOnce(ours, 32), atOnce(theirs, 32), count, rounds);
    rows.push({ store, load: "32 names at once", ...parallel });
    await proveSameFacts(manager, floor);
  } finally {
    await manager.close();
    await floor.close();
  }
  return rows;
}

/** A ratio means nothing unless both sides did the same. */
async function proveSameFacts(manager: JobManager, floor: Floor): Promise<void> {
  let records = 0;
  for await (const record of manager.history()) if (record.status === "completed") records++;
  const expected = await floor.records();
  if (records !== expected) throw new Error(`ours left ${records} records, the floor ${expected}`);
}

function show(rows: readonly Row[]): void {
  console.log(
    "managed run: lock, started record, ended record, release. Ratio of cost to the hand-written floor, median of rounds.\n",
  );
  console.log("store    load                  ours/s   floor/s   ratio   (best … worst)");
  for (const { store, load, ours, floor, ratio, rounds } of rows) {
    const spread = `(${rounds[0]?.toFixed(2)} … ${rounds.at(-1)?.toFixed(2)})`;
    const mark = ratio <= GOAL ? "" : `  over the goal of ${GOAL}`;
    const numbers = `${String(ours).padStart(8)} ${String(floor).padStart(9)} ${ratio.toFixed(2).padStart(7)}`;
    console.log(`${store.padEnd(8)} ${load.padEnd(20)}${numbers}   ${spread}${mark}`);
  }
}

const { values } = parseArgs({
  options: {
    json: { type: "string" },
    rounds: { type: "string", default: "9" },
    only: { type: "string" },
    store: { type: "string" },
    runs: { type: "string", default: "40" },
  },
});
const folder = mkdtempSync(join(tmpdir(), "ojm-bench-"));
try {
  if (values.only === "handoff") await measureHandOff(folder, Number(values.runs), values.store);
  else await measureAll(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measureAll(folder: string): Promise<void> {
  const rows: Row[] = [];
  for (const contest of contests(folder)) {
    if (values.only === undefined || values.only === contest.name)
      rows.push(...(await measure(contest, Number(values.rounds))));
  }
  show(rows);
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ node: process.version, rows }, null, 2)}\n`);
}
