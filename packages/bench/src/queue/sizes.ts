import type { Way } from "./items.js";

type Counts = readonly [one: number, many: number];

/** The items of a round, one at a time and many at once: a round takes some seconds. */
const FULL: Readonly<Record<string, Counts>> = {
  simple: [10_000, 10_000],
  level: [2_000, 5_000],
  sqlite: [5_000, 10_000],
  redis: [5_000, 10_000],
  etcd: [500, 1_000],
  postgres: [1_000, 3_000],
};

const QUICK: Readonly<Record<string, Counts>> = {
  simple: [2_000, 2_000],
  level: [300, 1_000],
  sqlite: [1_000, 1_000],
  redis: [500, 1_000],
  etcd: [100, 300],
  postgres: [200, 500],
};

/** How many items a round has. */
export function countOf(store: string, { width, batch = 1 }: Way, quick: boolean): number {
  const counts = (quick ? QUICK : FULL)[store] ?? [1_000, 1_000];
  return counts[width * batch === 1 ? 0 : 1];
}
