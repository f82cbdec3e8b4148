import type { Load } from "./contestant.js";

/** The loads of a managed run. */
export const RUNS: readonly Load[] = [
  { what: "run", width: 1 },
  { what: "run", width: 32 },
];

/** The plain calls, as the channel has them. */
export const VERBS: readonly Load[] = (["set", "get", "compareAndSet"] as const).flatMap((what) => [
  { what, width: 1 },
  { what, width: 50 },
]);

interface Counts {
  /** Runs in a round, for one name and for 32. */
  readonly runs: readonly [one: number, many: number];
  /** Calls of a verb, for one in flight and for 50. */
  readonly calls: readonly [one: number, many: number];
}

/**
 * After 20,000 runs in a round, the compiler has done its work; with 2,000, a round would mostly measure the
 * compiler. For a store that waits for a disk or a quorum, the number makes a round take three seconds.
 */
const FULL: Readonly<Record<string, Counts>> = {
  simple: { runs: [20_000, 20_000], calls: [100_000, 100_000] },
  level: { runs: [5_000, 20_000], calls: [10_000, 50_000] },
  sqlite: { runs: [20_000, 20_000], calls: [50_000, 100_000] },
  redis: { runs: [20_000, 20_000], calls: [20_000, 50_000] },
  etcd: { runs: [2_500, 5_000], calls: [5_000, 10_000] },
  postgres: { runs: [2_500, 5_000], calls: [2_500, 10_000] },
};

/** With a delay in between, a run takes 2 ms or more on any store. */
const SLOW: Counts = { runs: [1_500, 20_000], calls: [0, 0] };

const QUICK: Readonly<Record<string, Counts>> = {
  simple: { runs: [3_000, 3_000], calls: [50_000, 50_000] },
  level: { runs: [500, 2_000], calls: [1_000, 5_000] },
  sqlite: { runs: [3_000, 3_000], calls: [20_000, 20_000] },
  redis: { runs: [1_500, 3_000], calls: [2_000, 5_000] },
  etcd: { runs: [200, 400], calls: [200, 500] },
  postgres: { runs: [150, 300], calls: [200, 500] },
};

const QUICK_SLOW: Counts = { runs: [150, 1_500], calls: [0, 0] };

/** How many runs or calls a round has. */
export function countOf(store: string, { what, width }: Load, of: { quick: boolean; slow: boolean }): number {
  const count = (counts: Counts | undefined): number =>
    counts?.[what === "run" ? "runs" : "calls"][width === 1 ? 0 : 1] ?? 1_000;
  const near = count((of.quick ? QUICK : FULL)[store]);
  return of.slow ? Math.min(near, count(of.quick ? QUICK_SLOW : SLOW)) : near;
}
