import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { commitNow, loadNow, machineNow } from "../report/machine.js";
import type { Child } from "../run/child.js";
import { type Store, stores } from "../stores.js";
import { contestantsOn } from "./contestants.js";
import { type ItemsResult, measureItems, startContestant, WAYS } from "./items.js";
import {
  ITEMS_COLUMNS,
  itemsRows,
  lineOf,
  type QueueResult,
  WAITING_COLUMNS,
  type WaitingResult,
  WORKERS_COLUMNS,
  waitingRows,
  workersCells,
} from "./lines.js";
import { countOf } from "./sizes.js";
import { measureWaiting } from "./waiting.js";
import { measureWorkers, type WorkersRow } from "./workers.js";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    what: { type: "string", default: "items,waiting,workers" },
    against: { type: "string" },
    rounds: { type: "string" },
    items: { type: "string" },
    waiting: { type: "string" },
    workers: { type: "string" },
    json: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? 3 : 7));

/** The least and the most items that wait, and the numbers of idle workers. */
const WAITING = (values.waiting ?? (quick ? "1000,20000" : "1000,1000000")).split(",").map(Number);
const WORKERS = (values.workers ?? (quick ? "1,10" : "1,10,1000")).split(",").map(Number);

/** How many single items idle workers get. Their beats come every 20 s. */
const SINGLE = quick ? { items: 50, settle: 1_000, quiet: 2_000 } : { items: 100, settle: 10_000, quiet: 40_000 };

/** The stores with goals. In the others, filling a queue takes hours or all of the memory. */
const FILLED = ["sqlite", "redis", "postgres"];

/** The stores whose servers count the calls. */
const COUNTING = ["redis", "etcd", "postgres"];

const only = values.only?.split(",");
const unknown = only?.filter((name) => stores.every((store) => store.name !== name)) ?? [];
if (unknown.length > 0) {
  console.error(`no store "${unknown.join('", "')}": ${stores.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const known = { commit: commitNow(), before: loadNow(), date: new Date().toISOString().slice(0, 10) };
const versions: string[] = [`Node ${process.versions.node}`];
const items: ItemsResult[] = [];
const waiting: WaitingResult[] = [];
const workers: WorkersRow[] = [];

/** Called after each row: an interrupted call keeps its results so far. */
function write(): void {
  if (values.json === undefined) return;
  const { commit, before, date } = known;
  const machine = machineNow([before, loadNow()]);
  const facts = { kind: "queue", date, ...(commit && { commit }), quick, machine, versions } as const;
  const result: QueueResult = { ...facts, items, waiting, workers };
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

const chosen = stores.filter(({ name, missing, version }) => {
  if (only?.includes(name) === false) return false;
  const why = missing();
  if (why !== undefined) console.log(`${name} not measured: ${why}`);
  else versions.push(version());
  return why === undefined;
});

/** Ours first, and the others that `--against` names. Default: all. */
function contestants({ name }: Store): string[] {
  const against = values.against?.split(",");
  return contestantsOn(name).filter((each) => each === "ojm" || against === undefined || against.includes(each));
}

async function itemsOf(store: Store): Promise<void> {
  const open = await store.open();
  const children: Child[] = [];
  try {
    for (const name of contestants(store)) children.push(await startContestant(name, store, open));
    for (const way of WAYS) {
      const count = Number(values.items ?? countOf(store.name, way, quick));
      const result = await measureItems(store, children, way, { count, rounds });
      items.push(result);
      for (const row of itemsRows(result)) console.log(lineOf(ITEMS_COLUMNS, row));
      write();
    }
    for (const child of children) {
      await child.proveFacts();
      await child.close();
    }
  } finally {
    for (const child of children) child.kill();
    await open.close();
  }
}

async function waitingOn(store: Store): Promise<void> {
  for (const contestant of contestants(store)) {
    const count = Number(values.items ?? countOf(store.name, { width: 32 }, quick));
    const result = await measureWaiting(contestant, store, WAITING, { count, rounds });
    waiting.push({ contestant, result });
    for (const row of waitingRows({ contestant, result })) console.log(lineOf(WAITING_COLUMNS, row));
    write();
  }
}

function onWorkers(row: WorkersRow): void {
  workers.push(row);
  console.log(lineOf(WORKERS_COLUMNS, workersCells(row)));
  write();
}

const what = values.what.split(",");
if (what.includes("items")) {
  console.log("items that are added, and then worked by a handler that does nothing, in turns in each round");
  console.log("a ratio is our cost over the other's, within a round: median (least … most)\n");
  console.log(lineOf(ITEMS_COLUMNS));
  for (const store of chosen) await itemsOf(store);
}
if (what.includes("waiting")) {
  console.log("\nthe same, 32 at once, beside items that wait: the cost with many of them over that with few\n");
  console.log(lineOf(WAITING_COLUMNS));
  for (const store of chosen) if (FILLED.includes(store.name)) await waitingOn(store);
}
if (what.includes("workers")) {
  console.log("\nsingle items for many idle workers, each with a connection of its own: what one costs all of them\n");
  console.log(lineOf(WORKERS_COLUMNS));
  for (const store of chosen)
    if (COUNTING.includes(store.name)) await measureWorkers(store, WORKERS, SINGLE, onWorkers);
}
