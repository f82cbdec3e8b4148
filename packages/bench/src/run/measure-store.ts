import { startProxy } from "../network/proxy.js";
import { type Group, LOOPBACK, type Network, SLOW } from "../report/result.js";
import type { OpenStore, Store } from "../stores.js";
import { Child } from "./child.js";
import type { Load } from "./contestant.js";
import { contestantsOn } from "./contestants.js";
import { measureInRounds } from "./rounds.js";
import { countOf, RUNS, VERBS } from "./sizes.js";

/** What to measure. */
export interface Plan {
  readonly quick: boolean;
  readonly rounds: number;
  /** Called for each group as soon as it is measured. */
  readonly onGroup: (group: Group) => void;
}

/** In ms, each way: within a data centre, or between two nearby ones. */
const DELAY = 0.5;

/** Measures a store, first as it is, then a new one through a slow network, if it has one. */
export async function measureStore(store: Store, plan: Plan): Promise<void> {
  await measureNear(store, plan);
  if (store.overNetwork) await measureFar(store, plan);
}

async function measureNear(store: Store, plan: Plan): Promise<void> {
  const open = await store.open();
  try {
    await measureOn(LOOPBACK, store, open, plan);
  } finally {
    await open.close();
  }
}

/** Measures through a proxy that delays. */
async function measureFar(store: Store, plan: Plan): Promise<void> {
  const open = await store.open();
  const { port = 0 } = open;
  const proxy = await startProxy(port, DELAY);
  const addressOf = (contestant: string): string =>
    open.addressOf(contestant).replace(String(port), String(proxy.port));
  try {
    await measureOn(SLOW, store, { ...open, addressOf }, plan);
  } finally {
    proxy.close();
    await open.close();
  }
}

async function measureOn(network: Network, store: Store, open: OpenStore, plan: Plan): Promise<void> {
  const children = await startAll(store.name, open);
  try {
    const plain = network === LOOPBACK && children.some(({ name }) => name === "ojm");
    const loads = plain ? [...RUNS, ...VERBS] : RUNS;
    for (const load of loads) {
      plan.onGroup(await measureLoad(network, store, children, load, plan));
    }
    for (const child of children) await child.proveFacts();
    for (const child of children) await child.close();
  } finally {
    for (const child of children) child.kill();
  }
}

async function startAll(store: string, { addressOf, servers }: OpenStore): Promise<Child[]> {
  const children: Child[] = [];
  for (const name of contestantsOn(store)) {
    children.push(await Child.start({ name, store, address: addressOf(name), servers }));
  }
  return children;
}

async function measureLoad(
  network: Network,
  store: Store,
  children: readonly Child[],
  load: Load,
  { quick, rounds }: Plan,
): Promise<Group> {
  const count = countOf(store.name, load, { quick, slow: network === SLOW });
  const taking = load.what === "run" ? children : children.filter(({ name }) => name === "ojm" || name === "floor");
  const [measured = []] = await measureInRounds(taking, [load], { count, rounds });
  return { store: store.name, network, load, count, durability: store.durability, measured };
}
