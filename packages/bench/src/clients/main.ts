import { parseArgs } from "node:util";
import { short, spreadText } from "../report/lines.js";
import { median, spread } from "../report/statistics.js";
import { Child } from "../run/child.js";
import { countOf } from "../run/sizes.js";
import { type Store, stores } from "../stores.js";

/*
 * How many runs a second many clients make on one server, each with connections of its own and one name, and
 * hand-written floors in the same rounds.
 */
const { values } = parseArgs({
  options: {
    only: { type: "string" },
    clients: { type: "string", default: "32" },
    rounds: { type: "string", default: "7" },
    quick: { type: "boolean", default: false },
  },
});
const CLIENTS = Number(values.clients);

/** How many processes the clients are spread over. */
const PROCESSES = Math.min(4, CLIENTS);

/** The stores that have a server. */
const SERVERS = ["redis", "etcd", "postgres"];

/** The goal of ojm, as a part of what the floor does. */
const GOALS: Readonly<Record<string, number>> = { postgres: 0.8 };

type Crowd = readonly Child[];

const width = Math.ceil(CLIENTS / PROCESSES);

async function startCrowd(name: string, store: Store, address: string): Promise<Crowd> {
  const spec = { name, store: store.name, address, servers: [], clients: width };
  return Promise.all(Array.from({ length: PROCESSES }, () => Child.start(spec)));
}

/** Runs a second of all processes together. */
async function throughput(crowd: Crowd, count: number): Promise<number> {
  const costs = await Promise.all(crowd.map((child) => child.measure({ what: "run", width }, count)));
  return costs.reduce((sum, { wall }) => sum + 1e6 / wall, 0);
}

async function measure(store: Store): Promise<void> {
  const { addressOf, close } = await store.open();
  const count = countOf(store.name, { what: "run", width: CLIENTS }, { quick: values.quick, slow: false }) / PROCESSES;
  const crowds: Crowd[] = [];
  try {
    for (const name of ["ojm", "floor"]) crowds.push(await startCrowd(name, store, addressOf(name)));
    const [ours = [], floors = []] = crowds;
    for (const crowd of crowds) await throughput(crowd, count);
    const rounds: [ours: number, floor: number][] = [];
    for (let i = 0; i < Number(values.rounds); i++) {
      const order = i % 2 === 0 ? [ours, floors] : [floors, ours];
      const done = new Map<Crowd, number>();
      for (const crowd of order) done.set(crowd, await throughput(crowd, count));
      rounds.push([done.get(ours) ?? Number.NaN, done.get(floors) ?? Number.NaN]);
    }
    show(store.name, rounds);
    for (const child of crowds.flat()) await child.close();
  } finally {
    for (const child of crowds.flat()) child.kill();
    await close();
  }
}

function show(store: string, rounds: readonly (readonly [ours: number, floor: number])[]): void {
  const ratio = spread(rounds.map(([ours, floor]) => ours / floor));
  const [ours, floor] = [median(rounds.map(([it]) => it)), median(rounds.map(([, it]) => it))];
  const goal = GOALS[store];
  const end = goal === undefined ? "" : `goal ≥ ${goal}, ${ratio.median >= goal ? "met" : "under"}`;
  const rates = [ours, floor].map((rate) => short(rate).padStart(10)).join("");
  console.log(`${store.padEnd(9)}${rates}   ${spreadText(ratio).padEnd(22)}${end}`.trimEnd());
}

console.log(
  `${PROCESSES * width} clients over ${PROCESSES} processes, each with connections and a name of its own: runs a second.\n`,
);
console.log("store           ojm     floor   ojm over the floor");
for (const store of stores) {
  if (!SERVERS.includes(store.name) || values.only?.split(",").includes(store.name) === false) continue;
  const missing = store.missing();
  if (missing !== undefined) console.log(`${store.name.padEnd(9)}not measured: ${missing}`);
  else await measure(store);
}
