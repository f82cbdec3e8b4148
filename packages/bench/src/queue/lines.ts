import { short, spreadText } from "../report/lines.js";
import type { Group, Machine } from "../report/result.js";
import { type Comparison, comparisonOf, comparisonsOf, cpu, median } from "../report/statistics.js";
import type { Measured } from "../run/rounds.js";
import type { ItemsResult, Way } from "./items.js";
import type { WorkersRow } from "./workers.js";

/** All results of a call of `bench -- queue`, in the form that `--json` writes. */
export interface QueueResult {
  readonly kind: "queue";
  readonly date: string;
  /** The measured commit, if Git knows it. */
  readonly commit?: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly versions: readonly string[];
  readonly items: readonly ItemsResult[];
  readonly waiting: readonly WaitingResult[];
  readonly workers: readonly WorkersRow[];
}

/** What the items of one contestant cost beside few and many that wait. */
export interface WaitingResult {
  readonly contestant: string;
  readonly result: ItemsResult;
}

/** The most that an item may cost in processor time, added and worked, as a multiple of another library. */
const MOST: Readonly<Record<string, number>> = { "redis bullmq": 1, "postgres pg-boss": 0.8 };

/** The least number of items that are worked in a second, many at once. */
const LEAST: Readonly<Record<string, number>> = { sqlite: 5_000 };

/** The columns of a table, and how wide they are on a terminal. */
type Columns = Readonly<Record<string, number>>;

export const ITEMS_COLUMNS: Columns = {
  store: 8,
  load: 12,
  part: 4,
  against: 15,
  "CPU, times": 19,
  goal: 17,
  "our CPU": 15,
  "its CPU": 15,
  "items a second: ours, its": 0,
};

export const WAITING_COLUMNS: Columns = {
  store: 8,
  queue: 15,
  part: 4,
  waiting: 33,
  "CPU, times": 19,
  "CPU with many": 15,
  "with few": 0,
};

export const WORKERS_COLUMNS: Columns = {
  store: 8,
  "idle workers": 12,
  "calls of an item": 16,
  "its CPU: clients + server": 25,
  "calls a second, besides": 23,
  "of a core, besides: clients + server": 0,
};

/** A row on a terminal. */
export function lineOf(columns: Columns, cells: readonly string[] = Object.keys(columns)): string {
  const widths = Object.values(columns);
  return cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join("  ")
    .trimEnd();
}

/** Three rows for each contestant that ours is compared with: add, work, and both. */
export function itemsRows(result: ItemsResult): string[][] {
  return Object.entries(result).flatMap(([part, group]: [string, Group]) => {
    const comparisons = comparisonsOf(group);
    const [ours] = group.measured;
    if (comparisons.length === 0 && ours !== undefined) return [itemsRow(part, group, ours)];
    return comparisons.map((it) => itemsRow(part, group, it.ours, it));
  });
}

function itemsRow(part: string, group: Group, ours: Measured, comparison?: Comparison): string[] {
  const other = comparison?.other;
  return [
    group.store,
    wayText(group.load),
    part,
    other?.contestant ?? "–",
    comparison === undefined ? "–" : spreadText(comparison.cpu),
    goalText(part, group, ours, comparison),
    cpuText(ours),
    other === undefined ? "–" : cpuText(other),
    [ours, ...(other === undefined ? [] : [other])].map((it) => perSecond(it).toFixed(0)).join(", "),
  ];
}

/** A row for each part of the work of a contestant: with many waiting items against few. */
export function waitingRows({ contestant, result }: WaitingResult): string[][] {
  return Object.entries(result).flatMap(([part, group]: [string, Group]) => {
    const [few, ...more] = group.measured;
    if (few === undefined) return [];
    return more.map((many) => {
      const times = spreadText(comparisonOf(group, many, few).cpu);
      const waiting = `${many.contestant} / ${few.contestant}`;
      return [group.store, contestant, part, waiting, times, cpuText(many), cpuText(few)];
    });
  });
}

/** The row of idle workers. */
export function workersCells({ store, workers, perItem, quiet }: WorkersRow): string[] {
  const number = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? "–";
  const percent = (us: number | undefined): string => (us === undefined ? "–" : `${(us / 1e4).toFixed(2)} %`);
  return [
    store,
    workers.toLocaleString("en"),
    number(perItem["calls"], 1),
    `${number(perItem["clients"], 0)} + ${number(perItem["server"], 0)} µs`,
    number(quiet["calls"], 1),
    `${percent(quiet["clients"])} + ${percent(quiet["server"])}`,
  ];
}

/** "1 at once", "batch of 100" */
function wayText({ width, batch }: Way): string {
  return batch === undefined ? `${width} at once` : `batch of ${batch}`;
}

/** The goal of a row, and whether it is met. */
function goalText(part: string, { store, load }: Group, ours: Measured, comparison?: Comparison): string {
  const most = MOST[`${store} ${comparison?.other.contestant}`];
  if (part === "both" && comparison !== undefined && most !== undefined)
    return `${most}, ${comparison.cpu.median <= most ? "met" : "over"}`;
  const least = LEAST[store];
  if (part !== "work" || load.width === 1 || least === undefined) return "–";
  return `≥ ${least} a second, ${perSecond(ours) >= least ? "met" : "under"}`;
}

/** "12.3 + 4.56 µs": the main thread of the client, and the server. */
function cpuText({ rounds }: Measured): string {
  const server = median(rounds.map((cost) => cost.server));
  const client = short(median(rounds.map((cost) => cpu(cost) - cost.server)));
  return `${server === 0 ? client : `${client} + ${short(server)}`} µs`;
}

function perSecond({ rounds }: Measured): number {
  return 1e6 / median(rounds.map(({ wall }) => wall));
}
