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

  /** A line about a job, apart from the output of the job. */
  banner(text: string, kind: "start" | "good" | "bad"): void {
    const colour = kind === "start" ? "bold" : kind === "good" ? "good" : "ERROR";
    this.err.write(`${this.#paint(text, colour, true)}\n`);
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
