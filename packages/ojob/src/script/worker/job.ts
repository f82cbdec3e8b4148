import type { Level } from "../../output/log.js";
import { logLine, postProgress } from "./bridge.js";
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

/** Reports progress. A value that is not a number is ignored, as in the manager's `run.progress`. */
function progress(done: unknown, total?: unknown, text?: unknown): void {
  if (typeof done !== "number" || !Number.isFinite(done)) return;
  const isTotal = typeof total === "number" && Number.isFinite(total);
  const isText = text !== undefined && text !== null;
  postProgress({ done, ...(isTotal && { total }), ...(isText && { text: String(text) }) });
}

/** The object `job` of a script: it writes log lines with fields, and reports progress. */
export const reporting: {
  readonly log: Readonly<Record<"debug" | "info" | "warn" | "error", (text: unknown, fields?: unknown) => void>>;
  readonly progress: (done: unknown, total?: unknown, text?: unknown) => void;
} = {
  log: { debug: line("DEBUG"), info: line("INFO"), warn: line("WARN"), error: line("ERROR") },
  progress,
};

/** Ends a script that calls `job.skip(reason)`. */
class SkipError extends Error {
  override readonly name: string = "SkipError";
}

/** Ends a script that calls `exit(code)`, after which the run of its file ends. */
export class ExitError extends Error {
  override readonly name: string = "ExitError";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`the script called exit(${exitCode})`);
    this.exitCode = exitCode;
  }
}

/** Whether a step has skipped the job. */
export class Skipping {
  readonly #inCatch: boolean;
  /** Why the job is skipped. A script that catches what {@link skip} throws does not change it. */
  reason: string | undefined;

  /** `inCatch`: the script is a step of `catch`. */
  constructor(inCatch: boolean) {
    this.#inCatch = inCatch;
  }

  skip(reason: unknown): never {
    if (this.#inCatch) throw new Error("job.skip() in a catch: the job has failed already");
    const text = reason === undefined || reason === null ? "" : String(reason).trim();
    this.reason ??= text === "" ? "its script said so" : text;
    throw new SkipError(`the job is skipped: ${this.reason}`);
  }

  /** Whether the thrown value is not a failure: {@link skip} or `exit(0)` threw it. */
  threw(error: unknown): boolean {
    if (!(error instanceof ExitError)) return error instanceof SkipError;
    if (!this.#inCatch && error.exitCode === 0) this.reason ??= "its script called exit(0)";
    return error.exitCode === 0;
  }
}
