import type { Machine } from "../report/result.js";
import type { Answered, Folded } from "./messages.js";

/** The times to fill a store, and to fold its records for the first time. In ms. */
export interface SizeRow extends Folded {
  readonly store: string;
  readonly runs: number;
  readonly filled: number;
}

/** A question to one store, asked again and again. */
export interface Asked {
  /** The time of the first one, in ms. */
  readonly first: number;
  readonly all: Answered[];
}

/** The cost of a question in a store of one size. Times in ms. */
export interface Side extends Omit<Answered, "ms"> {
  readonly first: number;
  readonly p50: number;
  readonly p95: number;
}

/** The cost of a question in a small store, and in a large one. */
export interface Row {
  readonly store: string;
  readonly question: string;
  readonly small: Side;
  readonly large: Side;
  /** The p95 of the large store over that of the small one. */
  readonly ratio: number;
}

/** All results of a call of `bench -- cockpit`, in the form that `--json` writes. */
export interface CockpitResult {
  readonly kind: "cockpit";
  readonly date: string;
  /** The measured commit, if Git knows it. */
  readonly commit?: string;
  readonly machine: Machine;
  readonly sizes: readonly SizeRow[];
  readonly rows: readonly Row[];
}

/** The goals: the p95 of the large store over that of the small one, and the most bytes of an answer. */
const MOST_RATIO = 2;
const MOST_BYTES = 200 * 1_024;

/** People cannot distinguish answers below this, in ms: their ratio is the noise of the machine. */
const AT_ONCE = 5;

export function rowOf(store: string, question: string, { small, large }: Record<"small" | "large", Asked>): Row {
  const sides = { small: sideOf(small), large: sideOf(large) };
  return { store, question, ...sides, ratio: sides.large.p95 / sides.small.p95 };
}

function sideOf({ first, all }: Asked): Side {
  const ms = all.flatMap((answered) => answered.ms).toSorted((a, b) => a - b);
  const most = (what: "bytes" | "calls" | "entries"): number => Math.max(...all.map((answered) => answered[what]));
  return {
    first,
    p50: quantile(ms, 0.5),
    p95: quantile(ms, 0.95),
    bytes: most("bytes"),
    calls: most("calls"),
    entries: most("entries"),
  };
}

/** The value below which this share of the sorted values lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Which goals a row misses. */
export function missedOf({ ratio, large }: Row): string[] {
  return [
    ...(ratio > MOST_RATIO && large.p95 > AT_ONCE ? ["slower"] : []),
    ...(large.bytes > MOST_BYTES ? ["too long"] : []),
  ];
}

const cell = (value: number, width: number, digits = 0): string => value.toFixed(digits).padStart(width);

export const HEADER: string = [
  `${"store".padEnd(8)}${"question".padEnd(31)}${"p50, p95 (ms)".padStart(16)}${"p50, p95 (ms)".padStart(17)}`,
  `${"ratio".padStart(7)}${"first".padStart(9)}${"calls".padStart(11)}${"entries".padStart(14)}${"bytes".padStart(9)}`,
].join("");

export function lineOf(row: Row): string {
  const { store, question, small, large, ratio } = row;
  const times = [small, large].map(({ p50, p95 }) => `${cell(p50, 8, 1)}${cell(p95, 8, 1)}`).join(" ");
  const work = `${`${small.calls}/${large.calls}`.padStart(11)}${`${small.entries}/${large.entries}`.padStart(14)}`;
  const missed = missedOf(row).map((what) => ` ${what}`);
  const name = `${store.padEnd(8)}${question.padEnd(31)}`;
  return `${name}${times}${cell(ratio, 7, 2)}${cell(large.first, 9)}${work}${cell(large.bytes, 9)}${missed.join(",")}`;
}

export function sizeLineOf({ store, runs, filled, first, whole, cpu, calls }: SizeRow): string {
  const speed = `${Math.round(runs / (whole / 1_000))} runs/s`;
  return (
    `${store.padEnd(8)}${runs} runs: filled in ${(filled / 1_000).toFixed(1)} s; first answer ${first.toFixed(0)} ms, ` +
    `folded in ${(whole / 1_000).toFixed(1)} s (${speed}, ${calls} calls, ${(cpu / 1_000).toFixed(1)} s of processor)`
  );
}
