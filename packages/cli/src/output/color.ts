import { styleText } from "node:util";
import { lastValue } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";

export type Color = "red" | "yellow" | "green" | "cyan" | "gray" | "bold" | "inverse";

/** Writes a text in a color; without one as it is. */
export type Paint = (text: string, color: Color | undefined) => string;

/** What a status means to somebody who looks for what went wrong. */
const COLORS: Readonly<Record<string, Color>> = {
  running: "cyan",
  held: "cyan",
  hold: "yellow",
  completed: "green",
  ok: "green",
  skipped: "gray",
  free: "gray",
  cancelled: "yellow",
  paused: "yellow",
  warning: "yellow",
  warn: "yellow",
  failed: "red",
  timeout: "red",
  lost: "red",
  run: "green",
  missed: "red",
  refused: "red",
  overdue: "red",
  waiting: "yellow",
  problem: "red",
  error: "red",
};

/** The color of a status of runs, locks, schedules and findings, or of the level of a line. */
export function colorOf(status: string | undefined): Color | undefined {
  return status !== undefined && Object.hasOwn(COLORS, status) ? COLORS[status] : undefined;
}

/** How this command writes colors. Its own option counts more than the environment. */
export function painter(given: Given): Paint {
  const when = lastValue(given, "color") ?? "auto";
  const { NO_COLOR: none, TERM: terminal } = process.env;
  const isWanted = when === "auto" ? process.stdout.isTTY === true && !none && terminal !== "dumb" : when === "always";
  if (!isWanted) return (text) => text;
  // Whether the stream shows colors was decided above.
  return (text, color) => (color === undefined ? text : styleText(color, text, { validateStream: false }));
}
