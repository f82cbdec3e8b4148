import { isatty } from "node:tty";
import { durationText } from "@ojm/core/backend";
import { LINES, maskUrls, visible } from "@ojm/core/internal";
import { type MaskedStream, Masker } from "../text/masker.js";
import { shownArgs } from "../text/secrets.js";
import type { DailyFiles } from "./daily-files.js";
import { type JobProgress, LiveLines } from "./live-lines.js";
import { Output } from "./output.js";

export type Level = "DEBUG" | "INFO" | "WARN" | "ERROR";

const COLOURS: Readonly<Record<string, string>> = { WARN: "33", ERROR: "31", bold: "1", good: "32" };

/** Whether a file descriptor supports escape sequences. */
function isTerminal(fd: number): boolean {
  return isatty(fd) && process.env["TERM"] !== "dumb";
}

/** The log settings of a job file. */
export interface LogSettings {
  /** Whether the start, the arguments and the end of jobs appear on the terminal. Default: true. */
  readonly console?: boolean | undefined;
  /** Whether the start and the end of jobs appear. Default: true. */
  readonly jobs?: boolean | undefined;
  /** Whether the arguments of a job that starts are logged. */
  readonly args?: boolean | undefined;
  /** Lines are JSON. */
  readonly json?: boolean;
  /** Lines go into these files too. */
  readonly files?: DailyFiles;
  /** Lines go into the files only, unless those cannot be written. */
  readonly filesOnly?: boolean;
}

interface Line {
  readonly level: Level;
  readonly message: string;
  readonly shown: string;
  readonly time: number;
  readonly job: string | undefined;
}

/** All output of a run of a job file: output of scripts, log lines, and banners of jobs. */
export class Log {
  /** The time that lines show. */
  now: () => number;
  readonly #output = new Output();
  readonly #out: number;
  readonly #err: number;
  readonly #colours: readonly number[];
  readonly #terminals: readonly number[];
  readonly #masker = new Masker();
  readonly #live: LiveLines | undefined;
  #prefix: LinePrefix | undefined;
  #settings: LogSettings = {};

  /**
   * `out` and `err` are file descriptors. `now` is the clock that decides when the log file of the next day
   * begins. Without it, the time of each line decides.
   */
  constructor(out: number = 1, err: number = 2, now: () => number = Date.now) {
    this.#out = out;
    this.#err = err;
    this.now = now;
    this.#terminals = [out, err].filter(isTerminal);
    // https://no-color.org
    this.#colours = process.env["NO_COLOR"] ? [] : this.#terminals;
    this.#live = this.#terminals.includes(err) ? new LiveLines(err, this.#output) : undefined;
  }

  /** Why output was lost, such as a full disk. A reader that went away does not count. */
  get lost(): Error | undefined {
    return this.#output.lost;
  }

  /** Masks these values in all output from now on. Values of fewer than 4 characters stay. */
  hide(secrets: readonly string[]): void {
    this.#masker.add(secrets);
  }

  /** Masks the hidden values in a text. */
  mask(text: string): string {
    return this.#masker.mask(text);
  }

  /** Masks output that comes in pieces. */
  masking(): MaskedStream {
    return this.#masker.stream();
  }

  /** Applies the settings of a job file from now on. */
  use(settings: LogSettings): void {
    this.#settings = settings;
  }

  /**
   * Puts the time, the name of the job, or both before each line of a job. JSON and files stay as they are.
   */
  prefixLines(prefix: LinePrefix): void {
    this.#prefix = prefix;
  }

  /** Writes `TIME | LEVEL | message`, errors to the error output. Returns the message without secrets. */
  line(level: Level, message: string, job?: string): string {
    const text = this.mask(message);
    this.#line({ level, message: text, shown: visible(text), time: this.now(), job });
    return text;
  }

  /** Writes a line that a script logs, unchanged because it may have colours. Returns it without secrets. */
  scriptLine(level: Level, message: string, time: number, job: string): string {
    const text = this.mask(message);
    this.#line({ level, message: text, shown: text, time, job });
    return text;
  }

  /** Writes a line into the files and, if `show` is true, on the terminal. */
  #line({ level, message, shown: readable, time, job }: Line, show = true): void {
    const { json = false, files, filesOnly = false } = this.#settings;
    const date = new Date(time).toISOString();
    const text = json
      ? visible(JSON.stringify({ time: date, level, message, job }))
      : `${date} | ${level.padEnd(5)} | ${readable}`;
    const filed = files?.write(text, this.now === Date.now ? time : this.now()) ?? false;
    // A line that could not be written to a file must not be lost.
    if (!show || (filed && filesOnly)) return;
    const prefix = json || job === undefined ? "" : this.#prefixOf(job, undefined);
    this.#write(level === "ERROR" ? this.#err : this.#out, `${prefix}${text}`, level);
  }

  /** Writes what a script prints. Returns it without secrets. `held`: incomplete lines, for a prefix. */
  print(text: string, toError = false, job = "", held?: HeldLines): string {
    const shown = this.mask(text);
    const fd = toError ? this.#err : this.#out;
    if (this.#prefix === undefined || this.#settings.json || held === undefined) this.#show(fd, shown);
    else {
      const prefix = this.#prefixOf(job, this.now());
      const lines = held.take(shown, toError).map((line) => `${prefix}${line}\n`);
      this.#show(fd, lines.join(""));
    }
    return shown;
  }

  /** Writes the incomplete lines of a job that is over. */
  printRest(job: string, held: HeldLines): void {
    const prefix = this.#prefixOf(job, this.now());
    for (const [text, toError] of held.rests()) this.#show(toError ? this.#err : this.#out, `${prefix}${text}\n`);
  }

  #prefixOf(job: string, time: number | undefined): string {
    return this.#prefix === undefined ? "" : prefixText(this.#prefix, this.mask(job), time);
  }

  /** Shows a job in the last lines of a terminal, until {@link Log.over}. `job` identifies it. */
  working(job: object, name: string): void {
    const { console = true, jobs = true, json = false } = this.#settings;
    if (console && jobs && !json) this.#live?.begin(job, this.mask(name));
  }

  /** Shows the progress of a job. Returns its text without secrets. */
  progress(job: object, name: string, progress: JobProgress): string | undefined {
    const text = progress.text === undefined ? undefined : this.mask(progress.text);
    const { console = true, json = false } = this.#settings;
    if (console && !json) this.#live?.set(job, this.mask(name), { ...progress, text });
    return text;
  }

  /** The job is over: removes its line from the terminal. */
  over(job: object): void {
    this.#live?.end(job);
  }

  /** Clears the lines of jobs from the terminal synchronously, because the process ends by an error. */
  leaveTerminal(): void {
    this.#live?.leave();
  }

  /** Shows that a job has started. `run` names one of several runs of it. */
  started(job: string, run?: string): void {
    this.#banner(`>> ${run ?? job}`, "bold", { event: "started", job, run });
  }

  /** Logs the arguments of a job, if the job file wants that. The values of those in `secrets` are masked. */
  args(job: string, args: Readonly<Record<string, unknown>>, secrets: readonly string[] = [], run?: string): void {
    if (!this.#settings.args) return;
    const message = this.mask(`args of "${run ?? job}": ${shownArgs(args, secrets, (text) => this.mask(text))}`);
    this.#line({ level: "INFO", message, shown: visible(message), time: this.now(), job }, this.#settings.console);
  }

  /** Shows that a job has ended. `run` names one of several runs of it. */
  ended(job: string, ms: number, well: boolean, run?: string): void {
    const text = `<< ${run ?? job}: ${well ? "done" : "failed"} after ${durationText(ms)}`;
    this.#banner(text, well ? "good" : "ERROR", { event: well ? "done" : "failed", job, run, ms: Math.round(ms) });
  }

  #banner(text: string, colour: string, event: Readonly<Record<string, unknown>>): void {
    const { console = true, jobs = true, json = false } = this.#settings;
    if (!console || !jobs) return;
    const time = new Date(this.now()).toISOString();
    // The name of a run has values of its arguments.
    const shown = this.mask(json ? JSON.stringify({ time, level: "INFO", ...event }) : text);
    this.#write(this.#err, visible(shown), colour);
  }

  /**
   * Always shows why a job failed: on the error output if there is no log file. `run` names one of several
   * runs of it. Returns the line without secrets.
   */
  failure(job: string, text: string, run: string = job): string {
    const [why, name] = [maskUrls(this.mask(text)), this.mask(run)];
    const message = `job "${name}" failed: ${why}`;
    const shown = `job "${visible(name)}" failed: ${visible(why, LINES)}`;
    this.#line({ level: "ERROR", message, shown, time: this.now(), job });
    return message;
  }

  /** Writes a note for the user who started the program, without a time. */
  note(text: string): void {
    this.#write(this.#err, visible(this.mask(text), LINES));
  }

  /** Resolves once a script may write more. */
  async room(): Promise<void> {
    await Promise.all([this.#output.room(), this.#settings.files?.room()]);
  }

  /** Resolves once everything is written. */
  async flush(): Promise<void> {
    await Promise.all([this.#output.flush(), this.#settings.files?.flush()]);
    // Errors of the log files.
    await this.#output.flush();
  }

  /** Writes everything that is left, and closes the log files. */
  async close(): Promise<void> {
    const { files, filesOnly: _, ...settings } = this.#settings;
    await files?.close();
    this.#settings = settings;
    this.#live?.close();
    await this.flush();
  }

  #write(fd: number, text: string, colour = ""): void {
    const plain = this.#settings.json || !this.#colours.includes(fd);
    const code = plain ? undefined : COLOURS[colour];
    this.#show(fd, code === undefined ? `${text}\n` : `\u001b[${code}m${text}\u001b[0m\n`);
  }

  #show(fd: number, text: string): void {
    const write = (): void => this.#output.write(fd, text);
    if (this.#live === undefined || !this.#terminals.includes(fd)) write();
    else this.#live.around(text, write);
  }
}

interface LinePrefix {
  readonly time: boolean;
  readonly job: boolean;
}

/** Buffers the incomplete lines of a job, so that lines of other jobs do not split them. */
export class HeldLines {
  readonly #rests: Map<boolean, string> = new Map();

  /** Returns the complete lines of the buffered text and this one, and buffers the rest. */
  take(text: string, toError: boolean): string[] {
    const lines = `${this.#rests.get(toError) ?? ""}${text}`.split("\n");
    this.#rests.set(toError, lines.pop() ?? "");
    return lines;
  }

  *rests(): Generator<readonly [text: string, toError: boolean]> {
    for (const [toError, text] of this.#rests) if (text !== "") yield [text, toError];
    this.#rests.clear();
  }
}

/** The prefix of a line. `time` is in ms since 1970; `undefined` for a line that contains its own time. */
export function prefixText({ time: hasTime, job: hasJob }: LinePrefix, job: string, time: number | undefined): string {
  const date = hasTime && time !== undefined ? `${new Date(time).toISOString()} ` : "";
  return hasJob ? `${date}[${visible(job)}] ` : date;
}
