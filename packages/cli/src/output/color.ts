import { styleText } from "node:util";
import { lastValue } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";

export type Color = "red" | "yellow" | "green" | "cyan" | "gray" | "bold" | "inverse";

/** Writes a text in a color, or unchanged without one. */
export type Paint = (text: string, color: Color | undefined) => string;

/** The color of each status, for a user who looks for failures. */
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

/** How this command writes colors. Its option takes precedence over the environment. */
export function painter(given: Given): Paint {
  const when = lastValue(given, "color") ?? "auto";
  const { NO_COLOR: none, TERM: terminal } = process.env;
  const isWanted = when === "auto" ? process.stdout.isTTY === true && !none && terminal !== "dumb" : when === "always";
  if (!isWanted) return (text) => text;
  // The check above decided whether the stream shows colors.
  return (text, color) => (color === undefined ? text : styleText(color, text, { validateStream: false }));
}
