import { stripVTControlCharacters } from "node:util";
import { elapsedText } from "@ojm/core/internal";
import { grouped, groupKey, type Problem, type Retry } from "@ojm/schedule/operator";
import { colorOf, type Paint } from "../../../../output/color.js";
import { type Column, rowsOf } from "../../../../output/items.js";
import { grid } from "../../../../output/width/grid.js";
import { widthOf } from "../../../../output/width/width.js";
import { runColumns } from "../../ps/screen.js";
import { noteOf } from "../../unattended.js";
import type { Coming, StoreSnapshot } from "../data/live-store.js";
import { joined, type Line } from "./share.js";
import type { Target, Ui } from "./ui.js";

/** The marks before the selected row and before others. */
const MARK = "> ";
const NO_MARK = "  ";

/** The most ticks that are shown. */
const MOST_NEXT = 10;

/** A part of the list. */
interface Section<T> {
  readonly columns: readonly Column<T>[];
  readonly items: readonly T[];
  /** What distinguishes two rows of one job. */
  readonly kind?: (item: T) => string;
  /** For a row of several jobs. */
  readonly group?: (item: T) => Target["group"];
  readonly paint: (item: T, column: number) => Parameters<Paint>[1];
}

/** All lines of the list. */
export function listLines(...asked: Parameters<typeof listSections>): Line[] {
  return joined(listSections(...asked));
}

/** The sections of the list: problems, running, retrying, next. */
export function listSections(
  snapshot: StoreSnapshot,
  { filter, unfolded }: Pick<Ui, "filter" | "unfolded">,
  now: number,
  columns: number,
  paint: Paint,
): readonly (readonly Line[])[] {
  const wanted = filter.toLowerCase();
  const only = <T extends { readonly name: string }>(items: readonly T[]): readonly T[] =>
    wanted === "" ? items : items.filter(({ name }) => name.toLowerCase().includes(wanted));
  const show = <T extends { readonly name: string }>(section: string, shown: Section<T>): Line[] =>
    sectionLines(section, shown, snapshot, columns, paint);
  return [
    show("problem", problemSection(only(snapshot.problems), unfolded, now)),
    show("run", {
      columns: runColumns(columns).map((column, i) => (i === 0 ? { ...column, title: "RUNNING" } : column)),
      items: only(snapshot.running),
      paint: ({ id, stopRequest }, column) => {
        if (column === 0) return stopRequest === undefined ? "cyan" : "yellow";
        return column === 1 && snapshot.long.has(id) ? "yellow" : undefined;
      },
    }),
    show("retry", retrySection(only(snapshot.retrying), now)),
    show("next", nextSection(only(snapshot.next).slice(0, MOST_NEXT), now)),
  ];
}

/** `unfolded`: the row of several jobs whose jobs have rows too. */
function problemSection(problems: readonly Problem[], unfolded: string | undefined, now: number): Section<Problem> {
  const jobsOf = (problem: Problem): readonly Problem[] => {
    const key = groupKey(problem);
    return problem.jobs !== undefined && key === unfolded ? problems.filter((one) => groupKey(one) === key) : [];
  };
  return {
    columns: [
      { title: "PROBLEM", cell: ({ name, jobs }) => (jobs ? `${jobs.n} jobs` : name), cut: "name" },
      { title: "WHAT", cell: ({ kind }) => kind },
      { title: "FOR", cell: ({ at }) => (at === undefined ? "" : elapsedText(now - at)), rank: 3 },
      { title: "WHY", cell: ({ text }) => text, rank: 2, cut: "text" },
    ],
    items: grouped(problems).flatMap((problem) => [problem, ...jobsOf(problem)]),
    kind: ({ kind }) => kind,
    group: (problem) => problem.jobs && { jobs: problem.jobs.n, key: groupKey(problem) ?? "" },
    paint: ({ kind }, column) => (column < 2 ? (colorOf(kind) ?? "red") : undefined),
  };
}

function retrySection(items: readonly Retry[], now: number): Section<Retry> {
  return {
    columns: [
      { title: "RETRYING", cell: ({ name }) => name, cut: "name" },
      { title: "ATTEMPT", cell: ({ attempt, retry }) => `${attempt} of ${retry.attempts}` },
      { title: "IN", cell: ({ due }) => (due < now ? "overdue" : elapsedText(due - now)) },
      { title: "AT", cell: ({ due }) => timeOf(due, now), rank: 3 },
      { title: "WHY", cell: ({ error }) => error, rank: 2, cut: "text" },
    ],
    items,
    kind: ({ chain }) => chain,
    paint: (_, column) => (column === 0 ? "yellow" : undefined),
  };
}

function nextSection(items: readonly Coming[], now: number): Section<Coming> {
  return {
    columns: [
      { title: "NEXT", cell: ({ name }) => name, cut: "name" },
      { title: "IN", cell: ({ due }) => elapsedText(due - now) },
      { title: "AT", cell: ({ due }) => timeOf(due, now) },
      { title: "NOTE", cell: noteOf, rank: 2, cut: "text" },
    ],
    items,
    paint: ({ skipped, unattended }) => (skipped === undefined && unattended === undefined ? undefined : "gray"),
  };
}

function sectionLines<T extends { readonly name: string }>(
  section: string,
  { columns, items, kind, group: groupOf, paint: colorIn }: Section<T>,
  snapshot: StoreSnapshot,
  width: number,
  paint: Paint,
): Line[] {
  if (items.length === 0) return [];
  const { lines } = grid(rowsOf(items, columns), columns, width - MARK.length, (text, row, column) => {
    const item = items[row - 1];
    return paint(text, item === undefined ? "bold" : colorIn(item, column));
  });
  return lines.map((line, i): Line => {
    const item = items[i - 1];
    const painted = `${NO_MARK}${line}`;
    if (item === undefined) return { painted };
    const group = groupOf?.(item);
    if (group !== undefined) return { painted, target: { id: `${section} ${group.key}`, name: group.key, group } };
    const id = `${section} ${item.name} ${kind?.(item) ?? ""}`;
    return { painted, target: { id, ...targetOf(item.name, snapshot) } };
  });
}

/** What the actions on a job need. */
export function targetOf(
  name: string,
  { running, retrying, schedules }: Pick<StoreSnapshot, "running" | "retrying" | "schedules">,
): Omit<Target, "id"> {
  const run = running.find((one) => one.name === name)?.id;
  const chain = retrying.find((one) => one.name === name)?.chain;
  const paused = schedules.get(name);
  return {
    name,
    ...(run !== undefined && { run }),
    ...(chain !== undefined && { chain }),
    ...(paused !== undefined && { paused }),
  };
}

/** The selected line: marked, and in inverse colors if there are colors. */
export function selectedLine({ painted }: Line, width: number, paint: Paint): string {
  const line = `${MARK}${stripVTControlCharacters(painted).slice(NO_MARK.length)}`;
  return paint(`${line}${" ".repeat(Math.max(0, width - widthOf(line)))}`, "inverse");
}

/** A time: without the date if it is today. */
function timeOf(time: number, now: number): string {
  const [date, clock = ""] = new Date(time).toLocaleString("sv-SE").split(" ");
  return date === new Date(now).toLocaleDateString("sv-SE") ? clock : `${date} ${clock}`;
}
