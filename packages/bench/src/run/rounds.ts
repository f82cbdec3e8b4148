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
 * Measures a load for all contestants, round by round, one contestant at a time, so that other work of the
 * machine falls on all alike. Every second round visits them in reverse order, so that none is always the
 * first.
 */
export async function measureInRounds(
  contestants: readonly Measurable[],
  load: Load,
  { count, rounds }: Size,
): Promise<Measured[]> {
  const costs = new Map<Measurable, Cost[]>(contestants.map((it) => [it, []]));
  for (const contestant of contestants) await contestant.warmUp(load, count);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contestants : [...contestants].reverse();
    for (const contestant of order) costs.get(contestant)?.push(await contestant.measure(load, count));
  }
  const measured: Measured[] = [];
  for (const contestant of contestants) {
    // A quarter of a round is enough: allocations do not depend on other processes.
    const allocated = load.what === "run" ? await contestant.allocation(load, count / 4) : undefined;
    measured.push({
      contestant: contestant.name,
      rounds: costs.get(contestant) ?? [],
      ...(allocated !== undefined && { allocated }),
    });
  }
  return measured;
}
