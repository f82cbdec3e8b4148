import type { Level } from "../../output/log.js";
import { logLine, tellProgress } from "./bridge.js";
import { stringify } from "./functions/data.js";

function line(level: Level): (text: unknown, fields?: unknown) => void {
  return (text, fields) => {
    const shown = fields === undefined ? undefined : stringify(fields, undefined, 0);
    logLine(level, shown === undefined ? inWords(text) : `${inWords(text)} ${shown}`);
  };
}

function inWords(text: unknown): string {
  if (text instanceof Error) return text.stack ?? String(text);
  return typeof text === "object" && text !== null ? (stringify(text, undefined, 0) ?? "") : String(text);
}

/** What is no number says nothing, as in the manager's `run.progress`. */
function progress(done: unknown, total?: unknown, text?: unknown): void {
  if (typeof done !== "number" || !Number.isFinite(done)) return;
  const isTotal = typeof total === "number" && Number.isFinite(total);
  const isText = text !== undefined && text !== null;
  tellProgress({ done, ...(isTotal && { total }), ...(isText && { text: String(text) }) });
}

/** How a script tells what its job does: lines of the log, with fields, and how far it is. */
export const reporting: {
  readonly log: Readonly<Record<"debug" | "info" | "warn" | "error", (text: unknown, fields?: unknown) => void>>;
  readonly progress: (done: unknown, total?: unknown, text?: unknown) => void;
} = {
  log: { debug: line("DEBUG"), info: line("INFO"), warn: line("WARN"), error: line("ERROR") },
  progress,
};
