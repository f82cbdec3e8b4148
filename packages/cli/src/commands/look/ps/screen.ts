import type { Paint } from "../../../output/color.js";
import { type Column, rowsOf } from "../../../output/items.js";
import { drawProgress, LEAST_PROGRESS } from "../../../output/progress.js";
import { oneLine } from "../../../output/table.js";
import type { Size } from "../../../output/terminal/screen.js";
import { type SayTime, sayAttempt, sayDuration } from "../../../output/times.js";
import { grid } from "../../../output/width/grid.js";
import { cut } from "../../../output/width/width.js";
import { limitsOf } from "../../exec/limits.js";
import { type Coming, sayComing } from "../retry-series.js";
import { sayAway } from "./health.js";
import { type Running, sayElapsed, sayRequester, sayWaiters, sayWhere } from "./running.js";

/** The lines above and below the runs. */
const OTHER_LINES = 3;

/** The least columns for the author and the reason of a stop request, on a normal and a narrow screen. */
const LEAST_ASKED = 20;
const NARROW_ASKED = 10;

/** On a screen of fewer columns, the usual time of a run is left out. */
const NARROW = 60;

/** The columns for a screen of this width. The first ones are still shown on a narrow screen. */
export const runColumns = (width: number): readonly Column<Running>[] => [
  { title: "RUN", cell: ({ name }) => name, cut: "name" },
  { title: "ELAPSED", cell: (run) => (width < NARROW ? sayDuration(run.elapsed) : sayElapsed(run)), rank: 0.4 },
  {
    title: "STOPPING",
    cell: ({ stopRequest }) => stopRequest && sayRequester(stopRequest),
    rank: 0.5,
    cut: width < NARROW ? NARROW_ASKED : LEAST_ASKED,
  },
  { title: "PROGRESS", cell: ({ progress }) => progress && drawProgress(progress), cut: LEAST_PROGRESS },
  { title: "WAITING", cell: ({ waiting }) => (waiting === 0 ? "" : String(waiting)) },
  { title: "WHERE", cell: sayWhere, cut: "text" },
  { title: "LEFT", cell: sayLeft },
  { title: "ATTEMPT", cell: sayAttempt },
  { title: "FENCE", cell: ({ fence }) => fence },
];

/** How long a run may still take. */
function sayLeft(run: Running): string {
  const { timeout } = limitsOf(run) ?? run;
  return sayDuration(Math.max(0, timeout - run.elapsed));
}

/** What is known besides the runs. */
interface Known {
  /** For how long the store has not answered, in ms. */
  readonly away?: number | undefined;
  readonly isComplete?: boolean;
  /** The pending retries. */
  readonly coming?: readonly Coming[];
  /** How times are written. */
  readonly say?: SayTime;
}

const ISO: SayTime = (time) => (time === undefined ? "" : new Date(time).toISOString());

/** The pending retries, in a third of the screen at most. */
function comingLines(coming: readonly Coming[], { rows, columns }: Size, say: SayTime): string[] {
  const most = Math.max(1, Math.floor(rows / 3));
  const shown = coming.length > most ? coming.slice(0, most - 1) : coming;
  const lines = shown.map((one) => cut(oneLine(sayComing(one, say)), columns));
  return shown.length < coming.length ? [...lines, cut(`… and ${coming.length - shown.length} more`, columns)] : lines;
}

/** The lines of the screen: at most as long as it is wide, and as many as it is high. */
export function frame(
  runs: readonly Running[],
  now: number,
  size: Size,
  paint: Paint,
  { away, isComplete = true, coming = [], say = ISO }: Known = {},
): string[] {
  const time = new Date(now).toTimeString().slice(0, 8);
  const head = runs.length > 0 || isComplete ? sayCount(runs.length) : "reading the runs";
  const waiting = comingLines(coming, size, say);
  const place = Math.max(1, size.rows - OTHER_LINES - waiting.length);
  const shown = runs.length > place ? runs.slice(0, place - 1) : runs;
  const hidden = runs.length - shown.length;
  const free = Math.max(0, place - shown.length);
  const waiters = shown.flatMap(sayWaiters).slice(0, free);
  return [
    cut(`${time}  ${head}. Ctrl-C ends this.`, size.columns),
    away === undefined ? "" : paint(cut(sayAway(away), size.columns), "red"),
    ...(runs.length === 0 ? [] : runLines(shown, size.columns, paint)),
    ...(hidden === 0 ? [] : [cut(`… and ${hidden} more`, size.columns)]),
    ...waiters.map((line) => cut(oneLine(line), size.columns)),
    ...waiting,
  ].slice(0, size.rows);
}

function sayCount(runs: number): string {
  if (runs === 0) return "nothing runs";
  return runs === 1 ? "1 run" : `${runs} runs`;
}

/** The runs as lines, after the heading. */
export function runLines(runs: readonly Running[], columns: number, paint: Paint): readonly string[] {
  const all = runColumns(columns);
  return grid(rowsOf(runs, all), all, columns, (text, row, column) =>
    paint(text, row > 0 && column === 0 ? "cyan" : undefined),
  ).lines;
}
