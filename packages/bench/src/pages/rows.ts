import { quantile } from "../cockpit/rows.js";
import type { Machine } from "../report/result.js";
import { median } from "../report/statistics.js";
import type { Load } from "./browser.js";
import type { OwnRow } from "./own.js";
import type { RivalRow } from "./rivals.js";

/** All results of a call of `bench -- pages`, in the form that `--json` writes. */
export interface PagesResult {
  readonly kind: "pages";
  readonly date: string;
  /** The measured commit, if Git knows it. */
  readonly commit?: string;
  readonly machine: Machine;
  readonly versions: readonly string[];
  readonly rivals: readonly RivalRow[];
  readonly own: readonly OwnRow[];
}

/** The goals: ours over the rival's, and for our own pages in ms and bytes. */
const MOST_RATIO = 0.5;
const INTERACTIVE = 1_000;
const FRAME = 32;
const HEAP = 60 * 1_048_576;
const FIRST_LINES = 300;

const TIMES: readonly ("paint" | "contentful" | "shown")[] = ["paint", "contentful", "shown"];

const kib = (bytes: number): string => `${(bytes / 1_024).toFixed(1)} KB`;
const ms = (value: number): string => value.toFixed(0).padStart(8);

export const RIVALS_HEADER: string =
  `${"screen".padEnd(15)}${"product".padEnd(12)}${"requests".padStart(9)}${"gzip".padStart(11)}` +
  `${"paint".padStart(8)}${"content".padStart(8)}${"data".padStart(8)}${"p90".padStart(8)}`;

/** A line a product, and one with the ratios of the medians: ours over each other one. */
export function rivalLines(rows: readonly RivalRow[]): string[] {
  const lines = rows.map(({ screen, product, weight, loads }) => {
    const times = TIMES.map((what) => ms(median(loads.map((load) => load[what])))).join("");
    const slow = ms(
      quantile(
        loads.map(({ shown }) => shown).toSorted((a, b) => a - b),
        0.9,
      ),
    );
    const foreign = weight.foreign === 0 ? "" : `  and ${weight.foreign} to other hosts`;
    const head = `${screen.padEnd(15)}${product.padEnd(12)}${String(weight.requests).padStart(9)}`;
    return `${head}${kib(weight.bytes).padStart(11)}${times}${slow}${foreign}`;
  });
  const [ours, ...others] = rows;
  if (ours === undefined) return lines;
  return [...lines, ...others.map((other) => ratioLine(ours, other))];
}

/** Ours over the other's: bytes, and the times by their medians. */
export function ratiosOf(
  ours: RivalRow,
  other: RivalRow,
): Readonly<Record<"bytes" | "paint" | "contentful" | "shown", number>> {
  const of = (what: keyof Load): number =>
    median(ours.loads.map((load) => load[what])) / median(other.loads.map((load) => load[what]));
  return {
    bytes: ours.weight.bytes / other.weight.bytes,
    paint: of("paint"),
    contentful: of("contentful"),
    shown: of("shown"),
  };
}

function ratioLine(ours: RivalRow, other: RivalRow): string {
  const { bytes, paint, contentful, shown } = ratiosOf(ours, other);
  const cell = (value: number, width: number): string => value.toFixed(2).padStart(width);
  // The first paint of both is a frame without data, but a user who searches a job waits for the data.
  const end = `   goal for data ${MOST_RATIO}${shown > MOST_RATIO ? ", missed" : ""}`;
  const times = [paint, contentful, shown].map((value) => cell(value, 8)).join("");
  return `${"".padEnd(15)}${"ratio".padEnd(12)}${cell(bytes, 20)}${times}${end}`;
}

/** The cost of one of our pages, each number with its goal. */
export function ownLines({ page, size, load, frames, heap }: OwnRow): string[] {
  const goal = (what: string, value: number, most: number, say: (value: number) => string): string =>
    `  ${what.padEnd(22)}${say(value).padStart(10)}   goal ${say(most)}${value > most ? ", missed" : ""}`;
  const inMs = (value: number): string => `${value.toFixed(0)} ms`;
  return page === "log"
    ? [
        `log of ${size} lines`,
        goal("first lines", load.shown, FIRST_LINES, inMs),
        `  ${"heap".padEnd(22)}${kib(heap).padStart(10)}`,
      ]
    : [
        `timeline of 7 days, ${size} runs`,
        goal("interactive", load.interactive, INTERACTIVE, inMs),
        ...(frames === undefined ? [] : [goal(`${frames.count} frames dragged, p95`, frames.p95, FRAME, inMs)]),
        goal("heap", heap, HEAP, kib),
      ];
}
