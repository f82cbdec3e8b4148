import type { Group } from "../report/result.js";
import { LOOPBACK } from "../report/result.js";
import { Child } from "../run/child.js";
import type { Cost, Load } from "../run/contestant.js";
import { type Measured, measureInRounds, type Size } from "../run/rounds.js";
import type { OpenStore, Store } from "../stores.js";

/** How the items are added and worked: one at a time, many at once, and in batches. */
export type Way = Pick<Load, "width" | "batch">;

export const WAYS: readonly Way[] = [{ width: 1 }, { width: 32 }, { width: 1, batch: 100 }];

/** The costs of all contestants on a store: of adding an item, of working it, and of both. */
export interface ItemsResult {
  readonly add: Group;
  readonly work: Group;
  readonly both: Group;
}

/** Starts a contestant on an open store. */
export function startContestant(name: string, store: Store, { addressOf, servers }: OpenStore): Promise<Child> {
  const spec = { name, store: store.name, address: addressOf(name), servers };
  return Child.start(spec, new URL("./contestant.child.ts", import.meta.url));
}

/** Measures a way. In each round a contestant adds the items, and then works through all of them. */
export async function measureItems(
  store: Store,
  contestants: readonly Child[],
  way: Way,
  size: Size,
): Promise<ItemsResult> {
  const loads: readonly Load[] = [
    { what: "add", ...way },
    { what: "work", ...way },
  ];
  const [add = [], work = []] = await measureInRounds(contestants, loads, size);
  const group = (what: "add" | "work", measured: readonly Measured[]): Group => ({
    store: store.name,
    network: LOOPBACK,
    load: { what, ...way },
    count: size.count,
    durability: store.durability,
    measured,
  });
  const both = add.map((one, i) => sumOf(one, work[i]?.rounds ?? []));
  return { add: group("add", add), work: group("work", work), both: group("work", both) };
}

function sumOf({ contestant, rounds }: Measured, others: readonly Cost[]): Measured {
  return { contestant, rounds: rounds.flatMap((one, i) => (others[i] === undefined ? [] : [sum(one, others[i])])) };
}

function sum(one: Cost, other: Cost): Cost {
  const main = one.main === undefined || other.main === undefined ? undefined : one.main + other.main;
  return {
    wall: one.wall + other.wall,
    client: one.client + other.client,
    ...(main !== undefined && { main }),
    server: one.server + other.server,
  };
}
