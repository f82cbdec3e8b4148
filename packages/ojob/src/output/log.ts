import { isatty } from "node:tty";
import { Output } from "./output.js";

/** How bad it is. */
export type Level = "INFO" | "WARN" | "ERROR";

const COLOURS: Readonly<Record<string, string>> = { WARN: "33", ERROR: "31", bold: "1", good: "32" };

/** Whether escape sequences are welcome on a file descriptor: https://no-color.org */
function wantsColour(fd: number): boolean {
  if (process.env["NO_COLOR"]) return false;
  return isatty(fd) && process.env["TERM"] !== "dumb";
}

/** Everything that a run of a job file shows: the scripts' output, the log, and the banners of the jobs. */
export class Log {
  /** The time that lines show. */
  now: () => number = Date.now;
  readonly #output = new Output();
  readonly #out: number;
  readonly #err: number;
  readonly #colours: readonly number[];

  /** `out` and `err` are file descriptors. */
  constructor(out: number = 1, err: number = 2) {
    this.#out = out;
    this.#err = err;
    this.#colours = [out, err].filter(wantsColour);
  }

  /** A line `TIME | LEVEL | message`. Errors go to the error output. */
  line(level: Level, message: string, time: number = this.now()): void {
    const text = `${new Date(time).toISOString()} | ${level.padEnd(5)} | ${message}`;
    this.#write(level === "ERROR" ? this.#err : this.#out, text, level);
  }

  /** Text as a script prints it. */
  print(text: string, toError = false): void {
    this.#output.write(toError ? this.#err : this.#out, text);
  }

  /** A job has started. */
  started(job: string): void {
    this.#write(this.#err, `>> ${job}`, "bold");
  }

  /** A job has ended. */
  ended(job: string, ms: number, well: boolean): void {
    const text = `<< ${job}: ${well ? "done" : "failed"} after ${duration(ms)}`;
    this.#write(this.#err, text, well ? "good" : "ERROR");
  }

  /** Why a job failed. */
  failure(job: string, text: string): void {
    this.line("ERROR", `job "${job}" failed: ${text}`);
  }

  /** A remark for whoever started this, without a time. */
  note(text: string): void {
    this.#write(this.#err, text);
  }

  /** Resolves once a script may write more. */
  room(): Promise<void> {
    return this.#output.room();
  }

  /** Resolves once everything is written. */
  flush(): Promise<void> {
    return this.#output.flush();
  }

  #write(fd: number, text: string, colour = ""): void {
    const code = this.#colours.includes(fd) ? COLOURS[colour] : undefined;
    this.#output.write(fd, code === undefined ? `${text}\n` : `\u001b[${code}m${text}\u001b[0m\n`);
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
