import type { Cost } from "../run/contestant.js";
import type { Measured } from "../run/rounds.js";
import type { Group } from "./result.js";

/** The median of several rounds, and the least and the most. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: median(values), least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/**
 * Processor time of the client's main thread and of the server, to which the goals apply. If the system does
 * not distinguish threads, all of them count.
 */
export const cpu = ({ client, main, server }: Cost): number => (main ?? client) + server;
/** Processor time with all threads of the client, including those for garbage collection and compilation. */
export const allThreads = ({ client, server }: Cost): number => client + server;
export const wall = (cost: Cost): number => cost.wall;

/** The cost of a contestant over its rounds, in µs. */
export function costOf({ rounds }: Measured, of: (cost: Cost) => number): Spread {
  return spread(rounds.map(of));
}

/** Our cost and that of another contestant. */
export interface Comparison {
  readonly group: Group;
  readonly ours: Measured;
  readonly other: Measured;
  readonly cpu: Spread;
  /** The same with all threads of the client. */
  readonly all: Spread;
  readonly wall: Spread;
  /** By how many µs of processor time ours is more. */
  readonly more: Spread;
}

/** Ours against each other. */
export function comparisonsOf(group: Group): Comparison[] {
  const ours = group.measured.find(({ contestant }) => contestant === "ojm");
  if (ours === undefined) return [];
  return group.measured.flatMap((other) => (other === ours ? [] : [comparisonOf(group, ours, other)]));
}

/** One against another. A ratio is formed within a round: both had the same load beside them. */
export function comparisonOf(group: Group, ours: Measured, other: Measured): Comparison {
  const each = (combine: (ours: Cost, other: Cost) => number): Spread =>
    spread(ours.rounds.flatMap((cost, round) => pair(cost, other.rounds[round], combine)));
  return {
    group,
    ours,
    other,
    cpu: each((a, b) => cpu(a) / cpu(b)),
    all: each((a, b) => allThreads(a) / allThreads(b)),
    wall: each((a, b) => a.wall / b.wall),
    more: each((a, b) => cpu(a) - cpu(b)),
  };
}

function pair<T>(ours: T, other: T | undefined, combine: (ours: T, other: T) => number): number[] {
  return other === undefined ? [] : [combine(ours, other)];
}
