import { LOOPBACK, SLOW } from "./result.js";
import type { Comparison } from "./statistics.js";

/** The goal of a comparison. */
export interface Goal {
  /** The most: a ratio, or µs with `unit: "µs more"`. */
  readonly most: number;
  readonly of: "cpu" | "wall";
  readonly unit: "times" | "µs more";
  readonly met: boolean;
}

/** Against a contestant: the ratios for one name and for 32. */
const RUNS: Readonly<Record<string, readonly [one: number, many: number]>> = {
  [`level floor ${LOOPBACK}`]: [1.35, 1.5],
  [`sqlite floor ${LOOPBACK}`]: [1.15, 1],
  [`redis floor ${LOOPBACK}`]: [1.35, 1],
  [`etcd floor ${LOOPBACK}`]: [1.15, 1],
  [`redis redlock ${LOOPBACK}`]: [1.1, 1],
  [`redis redlock ${SLOW}`]: [0.6, 0.6],
  [`redis bullmq ${LOOPBACK}`]: [0.45, 0.45],
  [`postgres floor ${LOOPBACK}`]: [1.35, 1],
  [`postgres pg-boss ${LOOPBACK}`]: [0.7, 0.7],
};

/** In memory a run is too short for a meaningful ratio: the goal is this many µs more. */
const SIMPLE = 5;

/** The most bytes that a run may allocate. */
export const ALLOCATION: number = 12 * 1024;

/** The goal of a comparison, if there is one, and whether it is met. */
export function goalOf(comparison: Comparison): Goal | undefined {
  const { group, other, more } = comparison;
  const { store, network, load } = group;
  if (load.what !== "run") return other.contestant === "floor" ? ofVerb(comparison) : undefined;
  if (store === "simple" && other.contestant === "floor") {
    return { most: SIMPLE, of: "cpu", unit: "µs more", met: more.median <= SIMPLE };
  }
  const goals = RUNS[`${store} ${other.contestant} ${network}`];
  const most = goals?.[load.width === 1 ? 0 : 1];
  if (most === undefined) return undefined;
  // With a network in between, the round trips matter, which take no processor time.
  const of = network === SLOW ? "wall" : "cpu";
  return { most, of, unit: "times", met: comparison[of].median <= most };
}

function ofVerb({ group: { store, load }, cpu }: Comparison): Goal {
  const most = load.width === 50 && ["redis", "sqlite"].includes(store) ? 1.15 : 1.3;
  return { most, of: "cpu", unit: "times", met: cpu.median <= most };
}

/** A goal as it is printed: `goal 1.35, met`. */
export function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return "";
  const most = goal.unit === "times" ? `${goal.most}` : `≤ ${goal.most} ${goal.unit}`;
  return `goal ${most}${goal.of === "wall" ? " of wall" : ""}, ${goal.met ? "met" : "over"}`;
}
