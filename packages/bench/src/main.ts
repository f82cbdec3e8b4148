import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type JobManager, openChannel, openJobManager } from "@ojm/core";
import type { Floor } from "./floors/floor.js";
import { atOnce, compare, inSequence, type Ratio } from "./measure.js";
import { type Measured, type Store, stores } from "./stores.js";
import { measureVerbs } from "./verbs.js";

const GOAL = 1.15;

interface Row extends Ratio {
  readonly store: string;
  readonly load: string;
}

async function measureRuns(store: Store, measured: Measured, rounds: number): Promise<Row[]> {
  const { options, floor } = measured;
  await using manager = await openJobManager(options);
  const ours = (job: string) => manager.run(job, () => undefined);
  const theirs = (job: string) => floor.run(job);
  const sequence = await compare(inSequence(ours), inSequence(theirs), store.count, rounds);
  const parallel = await compare(atOnce(ours, 32), atOnce(theirs, 32), store.count, rounds);
  await proveSameFacts(manager, floor);
  return [
    { store: store.name, load: "run, 1 name in sequence", ...sequence },
    { store: store.name, load: "run, 32 names at once", ...parallel },
  ];
}

async function measure(store: Store, rounds: number): Promise<Row[]> {
  const measured = await store.open();
  try {
    const rows = await measureRuns(store, measured, rounds);
    await using channel = await openChannel("verbs", measured.options.chJobs ?? {});
    for (const row of await measureVerbs(channel, measured.raw, store.count * 2, rounds)) {
      rows.push({ store: store.name, load: `${row.verb}, ${row.inFlight} in flight`, ...row });
    }
    return rows;
  } finally {
    await measured.floor.close();
    await measured.close();
  }
}

/** Throws unless both sides left as many records: a ratio means nothing if they did different work. */
async function proveSameFacts(manager: JobManager, floor: Floor): Promise<void> {
  let records = 0;
  for await (const record of manager.history()) if (record.status === "completed") records++;
  const expected = await floor.records();
  if (records !== expected) throw new Error(`ours left ${records} records, the floor ${expected}`);
}

function show({ store, load, ours, floor, ratio, rounds }: Row): void {
  const spread = `(${rounds[0]?.toFixed(2)} … ${rounds.at(-1)?.toFixed(2)})`;
  const mark = ratio <= GOAL || !load.startsWith("run") ? "" : `  over the goal of ${GOAL}`;
  const numbers = `${String(ours).padStart(9)} ${String(floor).padStart(9)} ${ratio.toFixed(2).padStart(7)}`;
  console.log(`${store.padEnd(8)} ${load.padEnd(27)}${numbers}   ${spread}${mark}`);
}

const { values } = parseArgs({
  options: {
    json: { type: "string" },
    rounds: { type: "string", default: "9" },
    only: { type: "string" },
  },
});
console.log(
  "A run is: lock, started record, ended record, release. Ratio of cost to the store's own driver, written by hand; median of rounds.\n",
);
console.log("store    load                          ours/s  driver/s   ratio   (best … worst)");
const rows: Row[] = [];
for (const store of stores) {
  if (values.only !== undefined && values.only !== store.name) continue;
  const missing = store.missing();
  if (missing !== undefined) {
    console.log(`${store.name.padEnd(8)} not measured: ${missing}`);
    continue;
  }
  const measured = await measure(store, Number(values.rounds));
  for (const row of measured) show(row);
  rows.push(...measured);
}
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, rows }, null, 2)}\n`);
