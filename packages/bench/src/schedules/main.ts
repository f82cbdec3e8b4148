import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { commitNow, loadNow, machineNow } from "../report/machine.js";
import { type Store, stores } from "../stores.js";
import { Crowd, measureCrowd } from "./crowd.js";
import { CROWD_HEADER, crowdLine, ONE_HEADER, oneLine } from "./lines.js";
import { measureProcess } from "./one.js";
import type { CrowdRow, ProcessRow, SchedulesResult } from "./result.js";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    what: { type: "string", default: "one,crowd" },
    json: { type: "string" },
    quick: { type: "boolean", default: false },
    schedules: { type: "string" },
    processes: { type: "string" },
  },
});
const { quick } = values;

/** How many schedules one process has, and each of a crowd. */
const SCHEDULES = Number(values.schedules ?? (quick ? 1_000 : 10_000));
const SCHEDULES_OF_CROWD = 1_000;

const SIZES = (values.processes ?? (quick ? "1,5" : "1,10,50")).split(",").map(Number);

/** How long one process is measured, in ms. */
const SPANS = quick ? { idle: 2_000, ticks: 10_000 } : { idle: 3_000, ticks: 20_000 };

/** The stores of the goals, and those of them that several processes share. */
const MEASURED = ["simple", "sqlite", "redis", "etcd"];
const SHARED = ["sqlite", "redis", "etcd"];

const only = values.only?.split(",") ?? MEASURED;
const unknown = only.filter((name) => !MEASURED.includes(name));
if (unknown.length > 0) {
  console.error(`no store "${unknown.join('", "')}" is measured with schedules: ${MEASURED.join(", ")}`);
  process.exit(2);
}
const known = { commit: commitNow(), before: loadNow(), date: new Date().toISOString().slice(0, 10) };
const one: ProcessRow[] = [];
const crowd: CrowdRow[] = [];

/** Called after each row: an interrupted call keeps its results so far. */
function write(): void {
  if (values.json === undefined) return;
  const { commit, before, date } = known;
  const machine = machineNow([before, loadNow()]);
  const result: SchedulesResult = { kind: "schedules", date, ...(commit && { commit }), quick, machine, one, crowd };
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

const chosen = stores.filter(({ name, missing }) => {
  if (!only.includes(name)) return false;
  const why = missing();
  if (why !== undefined) console.log(`${name} not measured: ${why}`);
  return why === undefined;
});

async function measureOne(): Promise<void> {
  console.log("one process; memory is heap and external; late is from the tick to the begin of its body\n");
  console.log(ONE_HEADER);
  for (const store of chosen) {
    const row = await measureProcess(store, SCHEDULES, SPANS);
    one.push(row);
    console.log(oneLine(row));
    write();
  }
}

async function measureCrowds(shared: readonly Store[]): Promise<void> {
  console.log(
    `\nprocesses with the same ${SCHEDULES_OF_CROWD} schedules: what a tick adds, and what there is besides\n`,
  );
  console.log(CROWD_HEADER);
  const processes = new Crowd();
  try {
    for (const store of shared) {
      await measureCrowd(store, processes, SIZES, SCHEDULES_OF_CROWD, (row) => {
        crowd.push(row);
        console.log(crowdLine(row));
        write();
      });
    }
  } finally {
    await processes.close();
  }
}

const what = values.what.split(",");
if (what.includes("one")) await measureOne();
if (what.includes("crowd")) await measureCrowds(chosen.filter(({ name }) => SHARED.includes(name)));
