import type { Paint } from "../../../../output/color.js";
import { oneLine } from "../../../../output/table.js";
import type { Size } from "../../../../output/terminal/screen.js";
import { cut, widthOf } from "../../../../output/width/width.js";
import { sayAway } from "../../ps/health.js";
import type { StoreSnapshot } from "../data/live-store.js";
import { listSections, selectedLine } from "./list.js";
import { joined, type Line, shared } from "./share.js";
import { selectedOf, type Target, type Ui } from "./ui.js";

/** The lines above the list, with an empty one, and below it. */
const HEAD = 3;
const FOOT = 1;

/** Lines that scroll, and the line that must be visible. */
export interface Body {
  readonly lines: readonly string[];
  readonly selected?: number;
}

/** How many lines fit between the head and the foot. */
export function pageOf({ rows }: Size): number {
  return Math.max(1, rows - HEAD - FOOT);
}

/** The screen around a body. */
export function frame(snapshot: StoreSnapshot, ui: Ui, body: Body, now: number, size: Size, paint: Paint): string[] {
  const page = pageOf(size);
  const { lines, selected = 0 } = body;
  // If the list is longer than the screen, the selected line is in the middle.
  const first = Math.max(0, Math.min(selected - Math.floor(page / 2), lines.length - page));
  const shown = lines.slice(first, first + page);
  const all = [
    ...head(snapshot, now, size.columns, paint),
    "",
    ...shown,
    ...Array.from({ length: page - shown.length }, () => ""),
    foot(ui, size.columns, paint),
  ];
  return all.slice(0, size.rows);
}

function head(snapshot: StoreSnapshot, now: number, columns: number, paint: Paint): string[] {
  const time = new Date(now).toTimeString().slice(0, 8);
  const store = cut(`ojm top  ${oneLine(snapshot.store)}`, columns - time.length - 2);
  const first = `${store}${" ".repeat(Math.max(2, columns - widthOf(store) - time.length))}${time}`;
  return [paint(cut(first, columns), "bold"), counts(snapshot, columns, paint)];
}

/** The counts. A store that is still being read, one that is away and one that is fine look different. */
function counts(snapshot: StoreSnapshot, columns: number, paint: Paint): string {
  const { away, isComplete, processes, running, retrying, waiting, failed, problems } = snapshot;
  if (away !== undefined) return paint(cut(sayAway(away), columns), "red");
  if (!isComplete) return paint(cut("reading the store …", columns), "yellow");
  const failures = `${failed.count}${failed.isMore ? "+" : ""} failed in 1 h`;
  const wrong =
    problems.length === 0 ? "no problems" : problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const parts = [
    { text: `${running.length} running`, rank: 1 },
    { text: `${waiting} waiting`, rank: 3 },
    ...(retrying.length === 0 ? [] : [{ text: `${retrying.length} retrying`, rank: 4 }]),
    { text: failures, rank: 2 },
    { text: wrong, rank: 0 },
    { text: processes === 1 ? "1 process" : `${processes} processes`, rank: 5 },
  ];
  let shown: typeof parts = [];
  let line = "";
  for (const part of parts.toSorted((a, b) => a.rank - b.rank)) {
    const more = parts.filter((one) => one === part || shown.includes(one));
    const text = more.map((one) => one.text).join(", ");
    // On a narrow screen the least important counts are left out whole: half a number would be wrong.
    if (text.length <= columns) [shown, line] = [more, text];
  }
  return paint(line, problems.some(({ kind }) => kind !== "paused" && kind !== "held") ? "red" : undefined);
}

/** The keys, with those first that stay on a narrow screen. */
const LIST_KEYS = ["q end", "? help", "Enter why, log", "c cancel", "p pause", "/ filter", "j k select"];
const DETAILS_KEYS = ["q back", "j k scroll", "l log alone", "c cancel", "p pause"];

function foot({ prompt, message, filter, view }: Ui, columns: number, paint: Paint): string {
  if (prompt !== undefined) {
    const { act, target, text } = prompt;
    const question = act === "filter" ? "filter: " : `why ${act} ${oneLine(target?.run ?? target?.name ?? "")}? `;
    return paint(promptLine(question, text, columns), "bold");
  }
  if (message !== "") return paint(cut(oneLine(message), columns), "yellow");
  if (view === "help") return cut("any key: back", columns);
  const keys = [
    ...(filter === "" || view !== "list" ? [] : [`filter: ${oneLine(filter)}`]),
    ...(view === "list" ? LIST_KEYS : DETAILS_KEYS),
  ];
  let line = "";
  for (const key of keys) {
    const more = line === "" ? cut(key, columns) : `${line}  ${key}`;
    if (widthOf(more) <= columns) line = more;
  }
  return line;
}

/** The question, and the end of the typed text with a cursor after it. */
function promptLine(question: string, text: string, columns: number): string {
  const asked = cut(question, Math.floor(columns / 2));
  let shown = text;
  while (widthOf(asked) + widthOf(shown) + 1 > columns && shown !== "") shown = [...shown].slice(1).join("");
  return `${asked}${shown}_`;
}

/** The rows of a list that can be selected, in order. */
export function targetsOf(lines: readonly Line[]): Target[] {
  return lines.flatMap(({ target }) => (target === undefined ? [] : [target]));
}

/** The list as the body of a frame. */
export function listBody(snapshot: StoreSnapshot, ui: Ui, now: number, size: Size, paint: Paint): Body {
  const { columns } = size;
  const sections = listSections(snapshot, ui, now, columns, paint);
  const selected = selectedOf(ui, targetsOf(joined(sections)))?.id;
  const lines = shared(sections, pageOf(size), selected);
  if (lines.length === 0) return { lines: [emptyText(snapshot, ui)] };
  const at = lines.findIndex(({ target }) => target !== undefined && target.id === selected);
  return {
    lines: lines.map((line, i) => (i === at ? selectedLine(line, columns, paint) : line.painted)),
    selected: Math.max(0, at),
  };
}

function emptyText({ isComplete }: StoreSnapshot, { filter }: Ui): string {
  if (!isComplete) return "";
  return filter === "" ? "  nothing runs, fails or is planned" : "  no name has this in it. Esc: show all";
}

/** The help as the body of a frame. */
export function helpBody({ columns }: Size): Body {
  return { lines: HELP.map((line) => cut(line, columns)) };
}

/** The help about the keys. Lines have 40 columns at most. */
export const HELP: readonly string[] = [
  "  up down, j k   select a job",
  "  PgUp PgDn, g G a page; the first, last",
  "  Enter          why, and the log, live;",
  "                 or the jobs of the row",
  "  l              the log alone",
  "  c              cancel the run",
  "  p              pause its schedule;",
  "                 again: resume it",
  "  /              show only some names",
  "  Esc            show all; go back",
  "  q, Ctrl-C      end",
  "",
  "  Problems: failures of the last 7 days",
  "  without a later success, schedules",
  "  that no process runs, overdue ticks,",
  "  long runs, holds, pauses and more.",
];
