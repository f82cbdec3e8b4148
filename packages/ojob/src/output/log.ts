import { isatty } from "node:tty";
import { Output } from "./output.js";

/** How bad it is. */
export type Level = "INFO" | "WARN" | "ERROR";

const COLOURS: Readonly<Record<string, string>> = { WARN: "33", ERROR: "31", dim: "2", bold: "1", good: "32" };

/** Whether escape sequences are welcome on a file descriptor: https://no-color.org */
function wantsColour(fd: number): boolean {
  if (process.env["NO_COLOR"]) return false;
  return isatty(fd) && process.env["TERM"] !== "dumb";
}

/** Everything that a run of a job file shows: the scripts' output, the log, and the banners of the jobs. */
export class Log {
  readonly out: Output;
  readonly err: Output;
  readonly #colour: readonly [out: boolean, err: boolean];

  constructor(out: Output = new Output(1), err: Output = new Output(2)) {
    this.out = out;
    this.err = err;
    this.#colour = [wantsColour(1), wantsColour(2)];
  }

  /** A line `TIME | LEVEL | message`. Errors go to the error output. */
  line(level: Level, message: string, time: number = Date.now()): void {
    const isError = level === "ERROR";
    const text = `${new Date(time).toISOString()} | ${level.padEnd(5)} | ${message}`;
    (isError ? this.err : this.out).write(`${this.#paint(text, level, isError)}\n`);
  }

  /** Text as a script prints it. */
  print(text: string, toError = false): void {
    (toError ? this.err : this.out).write(text);
  }

  /** A job has started. */
  started(job: string): void {
    this.err.write(`${this.#paint(`>> ${job}`, "bold", true)}\n`);
  }

  /** A job has ended. */
  ended(job: string, ms: number, well: boolean): void {
    const text = `<< ${job}: ${well ? "done" : "failed"} after ${duration(ms)}`;
    this.err.write(`${this.#paint(text, well ? "good" : "ERROR", true)}\n`);
  }

  /** Why a job failed. */
  failure(job: string, text: string): void {
    this.line("ERROR", `job "${job}" failed: ${text}`);
  }

  /** A remark for whoever started this, without a time. */
  note(text: string): void {
    this.err.write(`${text}\n`);
  }

  /** Resolves once a script may write more. */
  async room(): Promise<void> {
    await Promise.all([this.out.room(), this.err.room()]);
  }

  /** Resolves once everything is written. */
  async flush(): Promise<void> {
    await Promise.all([this.out.flush(), this.err.flush()]);
  }

  /** Writes what waits at once. */
  flushNow(): void {
    this.out.flushNow();
    this.err.flushNow();
  }

  #paint(text: string, colour: string, toError: boolean): string {
    const code = COLOURS[colour];
    return code !== undefined && this.#colour[toError ? 1 : 0] ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

/** A time span for people: `12 ms`, `1.2 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  const rest = Math.round((ms % 60_000) / 1_000);
  if (minutes < 60) return `${minutes} min ${rest} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
