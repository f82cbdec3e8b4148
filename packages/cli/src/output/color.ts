import { styleText } from "node:util";
import { lastValue } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";

export type Color = "red" | "yellow" | "green" | "cyan" | "gray" | "bold" | "inverse";

/** Writes a text in a color, or unchanged without one. */
export type Paint = (text: string, color: Color | undefined) => string;

/** The statuses, states and levels in each color, for a user who looks for failures. */
const COLORS: readonly (readonly [Color, readonly string[]])[] = [
  ["red", ["failed", "timeout", "lost", "missed", "refused", "overdue", "problem", "error", "dead"]],
  ["yellow", ["hold", "cancelled", "paused", "warning", "warn", "waiting", "delayed"]],
  ["green", ["completed", "ok", "run"]],
  ["cyan", ["running", "held", "note", "active"]],
  ["gray", ["skipped", "free"]],
];

/** The color of a status of runs, locks, schedules and findings, or of the level of a line. */
export function colorOf(status: string | undefined): Color | undefined {
  return COLORS.find(([, all]) => status !== undefined && all.includes(status))?.[0];
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
