import type { CallOptions } from "../../channel/types.js";

/** The level of a line in the log of a run. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** The source of a line of raw output. */
export type LogStream = "stdout" | "stderr";

/**
 * The log of a run, for its body. All calls return at once and never throw, whatever happens to the store.
 *
 * A text of several lines becomes several lines. A line is cut at 16 KiB. If carriage returns overwrite a
 * line, as in progress bars, its last state is kept.
 *
 * Lines wait in memory until they are written, 1 MiB at most for a run. Beyond that, lines are dropped, and
 * {@link JobManager.log} reports how many and where.
 */
export interface RunLog {
  /** `fields` are added to the text as JSON; what JSON cannot hold is changed or left out. */
  debug(text: string, fields?: Readonly<Record<string, unknown>>): void;
  info(text: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(text: string, fields?: Readonly<Record<string, unknown>>): void;
  error(text: string, fields?: Readonly<Record<string, unknown>>): void;
  /**
   * Adds raw output, such as that of a child process, in pieces of any length. A line is complete at its line
   * break, or at the end of the run.
   *
   * @example
   * child.stdout.setEncoding("utf8").on("data", (text) => run.log.write(text));
   */
  write(text: string, stream?: LogStream): void;
}

/** A line of the log of a run. */
export interface LogLine {
  /** Its number. The first line of a run has the number 1. Missing lines count. */
  readonly line: number;
  /** Where it begins in the text of the whole log, in UTF-8 bytes: each line is its text and a line break. */
  readonly offset: number;
  /** When it was written, in ms since 1970, by the clock of the run's machine. */
  readonly at: number;
  /** Its level; for raw output, its stream. */
  readonly level: LogLevel | LogStream;
  readonly text: string;
}

/** A number of lines, and their length in UTF-8 bytes. */
export interface LogAmount {
  readonly lines: number;
  readonly bytes: number;
}

/** A place in the log of a run where lines are missing. */
export interface LogGap {
  /** How much is missing. `"unknown"` only at the end: the last lines of an ended run were not written. */
  readonly missing: LogAmount | "unknown";
  /**
   * The part of it that was never written, because the store was away or slow. The rest was deleted: the log
   * was longer than its budget, or its time to live is over. Absent: nothing.
   */
  readonly dropped?: LogAmount;
}

/** The progress of a run, as last set by {@link Run.progress}. */
export interface Progress {
  readonly done: number;
  readonly total?: number;
  readonly text?: string;
  /** When it was set, in ms since 1970, by the clock of the run's machine. */
  readonly at: number;
}

/** Lines of a log were dropped, because its store was away or slow for too long. */
export interface LogDroppedEvent extends LogAmount {
  /** The id of the run. */
  readonly id: string;
}

/** A change of a run's progress, in its log. */
export interface LogProgress {
  readonly progress: Progress;
}

/** The items of {@link JobManager.log}. Distinguish them by `"text" in item` and `"missing" in item`. */
export type LogItem = LogLine | LogGap | LogProgress;

/** Options of {@link JobManager.log}. */
export interface LogOptions extends CallOptions {
  /** Whether to wait for further lines until the run is over. Default: false. */
  readonly follow?: boolean;
  /**
   * Only items after the line with this number, for a reader that resumes: nothing before it is read. A gap
   * that ends after it is reported whole. Not with `tail`. Default: 0, all lines that are kept.
   */
  readonly after?: number;
  /** Only this many of the last lines, and with `follow` all later ones. Default: all lines that are kept. */
  readonly tail?: number;
  /** Whether to yield the progress of the run too. Default: false. */
  readonly progress?: boolean;
}
