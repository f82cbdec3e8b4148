import type { Child } from "./child.js";
import type { Cost, Load } from "./contestant.js";

/** The cost of a contestant in each of the rounds, and the bytes that it allocates for a run. */
export interface Measured {
  readonly contestant: string;
  readonly rounds: readonly Cost[];
  readonly allocated?: number;
}

/** How much is measured. */
export interface Size {
  /** Runs in a round. */
  readonly count: number;
  readonly rounds: number;
}

/** What a contestant can do in {@link measureInRounds}. */
export type Measurable = Pick<Child, "name" | "warmUp" | "measure" | "allocation">;

/**
 * Measures loads for all contestants, round by round, one contestant at a time, so that other work of the
 * machine falls on all alike. Every second round visits them in reverse order, so that none is always the
 * first. In a round a contestant does one load after the other. Resolves to the costs of each load.
 */
export async function measureInRounds(
  contestants: readonly Measurable[],
  loads: readonly Load[],
  { count, rounds }: Size,
): Promise<Measured[][]> {
  const all = contestants.map((contestant) => ({ contestant, costs: loads.map((): Cost[] => []) }));
  for (const { contestant } of all) for (const load of loads) await contestant.warmUp(load, count);
  for (let round = 0; round < rounds; round++) {
    for (const { contestant, costs } of round % 2 === 0 ? all : [...all].reverse())
      for (const [i, load] of loads.entries()) costs[i]?.push(await contestant.measure(load, count));
  }
  const measured = loads.map((): Measured[] => []);
  for (const [i, load] of loads.entries()) {
    for (const { contestant, costs } of all) {
      // A quarter of a round is enough: allocations do not depend on other processes.
      const allocated = load.what === "run" ? await contestant.allocation(load, count / 4) : undefined;
      const cost = { contestant: contestant.name, rounds: costs[i] ?? [] };
      measured[i]?.push({ ...cost, ...(allocated !== undefined && { allocated }) });
    }
  }
  return measured;
}
