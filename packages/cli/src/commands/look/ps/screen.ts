import stringWidth from "string-width";
import type { Paint } from "../../../output/color.js";
import { cut } from "../../../output/cut.js";
import { sayProgress } from "../../../output/progress.js";
import { oneLine } from "../../../output/table.js";
import { sayAttempt, sayDuration } from "../../../output/times.js";
import { type Running, sayElapsed, sayWhere } from "./running.js";

/** The size of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The least columns of a name, and its share of the screen while other columns want room. */
const LEAST_NAME = 10;
const SHARE_OF_NAME = 0.4;

/** The lines above and below the runs. */
const OTHER_LINES = 3;

type Cell = (run: Running) => string;

/** The columns, those first that stay on a narrow screen. */
const COLUMNS: readonly (readonly [title: string, cell: Cell])[] = [
  ["RUN", ({ name }) => name],
  ["ELAPSED", sayElapsed],
  ["PROGRESS", ({ progress }) => (progress ? sayProgress(progress) : "")],
  ["WAITING", ({ waiting }) => (waiting === 0 ? "" : String(waiting))],
  ["WHERE", sayWhere],
  ["LEFT", ({ timeout, elapsed }) => sayDuration(Math.max(0, timeout - elapsed))],
  ["ATTEMPT", sayAttempt],
  ["FENCE", ({ fence = "" }) => fence],
];

/** What the screen shows: lines that are no longer than it is wide, and no more than it is high. */
export function frame(runs: readonly Running[], now: number, size: Size, paint: Paint): string[] {
  const time = new Date(now).toTimeString().slice(0, 8);
  const head = runs.length === 0 ? "nothing runs" : `${runs.length} ${runs.length === 1 ? "run" : "runs"}`;
  const place = Math.max(1, size.rows - OTHER_LINES);
  const shown = runs.length > place ? runs.slice(0, place - 1) : runs;
  const hidden = runs.length - shown.length;
  return [
    cut(`${time}  ${head}. Ctrl-C ends this.`, size.columns),
    "",
    ...(runs.length === 0 ? [] : grid(shown, size.columns, paint)),
    ...(hidden === 0 ? [] : [cut(`… and ${hidden} more`, size.columns)]),
  ].slice(0, size.rows);
}

function grid(runs: readonly Running[], columns: number, paint: Paint): string[] {
  const cells = COLUMNS.map(([title, cell]) => [title, ...runs.map((run) => oneLine(cell(run), columns))])
    // A column in which nothing stands takes no room.
    .filter((column, i) => i === 0 || column.some((cell, row) => row > 0 && cell !== ""));
  const widths = fit(
    cells.map((column) => Math.max(...column.map((cell) => stringWidth(cell)))),
    columns,
  );
  const shown = cells
    .map((column, i) => ({ column, width: widths[i] ?? 0, isName: i === 0 }))
    .filter(({ width }) => width > 0);
  return ["", ...runs].map((_, row) =>
    shown
      .map(({ column, width, isName }, i) => {
        const text = cut(column[row] ?? "", width);
        const padding = i === shown.length - 1 ? "" : " ".repeat(width - stringWidth(text));
        return `${paint(text, row > 0 && isName ? "cyan" : undefined)}${padding}`;
      })
      .join("  "),
  );
}

/** The widths of the columns; 0 for one that is left out. A long name is cut before a column is left out. */
function fit(natural: readonly number[], columns: number): number[] {
  const [name = 0, ...others] = natural;
  const [elapsed = 0] = others;
  const share = Math.min(Math.floor(columns * SHARE_OF_NAME), columns - elapsed - 2);
  const least = Math.min(name, Math.max(LEAST_NAME, share));
  let left = columns - least;
  const kept = others.map((width) => {
    if (left - width - 2 < 0) return 0;
    left -= width + 2;
    return width;
  });
  return [Math.min(name, least + left), ...kept];
}
