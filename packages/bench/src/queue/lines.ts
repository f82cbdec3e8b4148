import { short, spreadText } from "../report/lines.js";
import type { Group } from "../report/result.js";
import { type Comparison, comparisonOf, comparisonsOf, cpu, median } from "../report/statistics.js";
import type { Measured } from "../run/rounds.js";
import type { ItemsResult, Way } from "./items.js";
import type { WorkersRow } from "./workers.js";

/** The most that an item may cost in processor time, added and worked, as a multiple of another library. */
const MOST: Readonly<Record<string, number>> = { "redis bullmq": 1, "postgres pg-boss": 0.8 };

/** The least number of items that are worked in a second, many at once. */
const LEAST: Readonly<Record<string, number>> = { sqlite: 5_000 };

export const ITEMS_HEADER: string =
  "store     load        part   against           CPU, times           µs of CPU, client + server: ours, other     items/s: ours, other";

/** "1 at once", "batch of 100" */
export function wayText({ width, batch }: Way): string {
  return batch === undefined ? `${width} at once` : `batch of ${batch}`;
}

/** Three lines for each contestant that ours is compared with: add, work, and both. */
export function itemsLines(result: ItemsResult): string[] {
  return Object.entries(result).flatMap(([part, group]: [string, Group]) => {
    const comparisons = comparisonsOf(group);
    const [ours] = group.measured;
    if (comparisons.length === 0 && ours !== undefined) return [lineOf(part, group, ours)];
    return comparisons.map((it) => lineOf(part, group, it.ours, it));
  });
}

/** A line for each part of the work of a contestant: with many waiting items against few. */
export function waitingLines(contestant: string, result: ItemsResult): string[] {
  return Object.entries(result).flatMap(([part, group]: [string, Group]) => {
    const [few, ...more] = group.measured;
    if (few === undefined) return [];
    return more.map((many) => {
      const it = comparisonOf(group, many, few);
      const head = [
        group.store.padEnd(9),
        contestant.padEnd(16),
        part.padEnd(6),
        `${many.contestant} / ${few.contestant}`.padEnd(38),
      ];
      return [...head, spreadText(it.cpu).padEnd(20), `${cpuText(many)}, ${cpuText(few)}`].join(" ");
    });
  });
}

function lineOf(part: string, group: Group, ours: Measured, comparison?: Comparison): string {
  const other = comparison?.other;
  const each = (of: (measured: Measured) => string): string =>
    other === undefined ? of(ours) : `${of(ours)}, ${of(other)}`;
  const columns = [
    group.store.padEnd(9),
    wayText(group.load).padEnd(12),
    part.padEnd(6),
    (other?.contestant ?? "").padEnd(17),
    (comparison === undefined ? "" : spreadText(comparison.cpu)).padEnd(20),
    each(cpuText).padEnd(43),
    each((it) => perSecond(it).toFixed(0)).padEnd(18),
    goalText(part, group, ours, comparison),
  ];
  return columns.join(" ").trimEnd();
}

/** The goal of a line, and whether it is met. */
export function goalText(part: string, { store, load }: Group, ours: Measured, comparison?: Comparison): string {
  const most = MOST[`${store} ${comparison?.other.contestant}`];
  if (part === "both" && comparison !== undefined && most !== undefined)
    return `goal ${most}, ${comparison.cpu.median <= most ? "met" : "over"}`;
  const least = LEAST[store];
  if (part !== "work" || load.width === 1 || least === undefined) return "";
  return `goal ${least} a second, ${perSecond(ours) >= least ? "met" : "under"}`;
}

/** "12.3 + 4.56": the main thread of the client, and the server. */
export function cpuText({ rounds }: Measured): string {
  const server = median(rounds.map((cost) => cost.server));
  const client = short(median(rounds.map((cost) => cpu(cost) - cost.server)));
  return server === 0 ? client : `${client} + ${short(server)}`;
}

/** Items in a second. */
export function perSecond({ rounds }: Measured): number {
  return 1e6 / median(rounds.map(({ wall }) => wall));
}

export const WORKERS_HEADER: string =
  "store     workers   an item: calls   µs of CPU, clients + server   besides, a second: calls   of a core, clients + server";

/** The line of idle workers. */
export function workersLine({ store, workers, perItem, quiet }: WorkersRow): string {
  const number = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? "–";
  const percent = (us: number | undefined): string => (us === undefined ? "–" : `${(us / 1e4).toFixed(2)} %`);
  return [
    store.padEnd(9),
    String(workers).padStart(7),
    number(perItem["calls"], 1).padStart(17),
    `${number(perItem["clients"], 0)} + ${number(perItem["server"], 0)}`.padStart(30),
    number(quiet["calls"], 1).padStart(27),
    `${percent(quiet["clients"])} + ${percent(quiet["server"])}`.padStart(30),
  ].join("");
}
