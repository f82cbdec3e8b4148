import type { Key } from "../../channel/types.js";
import { type Fields, fieldsOf, isCount, isNumber, isOptional, isText, isTime } from "../../util/shape.js";
import type { RunRef } from "../run-id.js";
import type { LogAmount, Progress } from "./types.js";

/*
 * The entries of the logs channel. Under the prefix [NAME, START TIME] of a run:
 *
 *   [NAME, START TIME, 0 … n]       chunks, in the order in which they were written
 *   [NAME, START TIME, "progress"]  the progress of the run
 *
 * The numbers of chunks have no holes when they are written. The store may have dropped some of them since.
 */

/** Some lines of a log. */
export interface LogChunk {
  /** When its first line was written, in ms since 1970. */
  readonly at: number;
  /** The number of its first line. */
  readonly line: number;
  /** The length of all lines before it, in bytes. */
  readonly offset: number;
  readonly lines: number;
  /**
   * The lines, joined by line breaks. Each is the time since `at` in ms, a space, a letter for the level, a
   * space, and the text: `153 W the disk is nearly full`.
   */
  readonly text: string;
  /** The number of earlier lines that were never written. Absent: none. */
  readonly dropped?: LogAmount;
  /** The log is complete: nothing comes after it. */
  readonly end?: true;
}

/** The values of the logs channel. */
export type LogsValue = LogChunk | Progress;

const PROGRESS = "progress";

export const logPrefix = ({ name, startTime }: RunRef): Key => [name, startTime];

export const chunkKey = ({ name, startTime }: RunRef, seq: number): Key => [name, startTime, seq];

export const progressKey = ({ name, startTime }: RunRef): Key => [name, startTime, PROGRESS];

/** The number of a chunk, by its key; `undefined` for any other key. */
export function seqOf(key: Key): number | undefined {
  const seq: unknown = Array.isArray(key) && key.length === 3 ? key[2] : undefined;
  return isCount(seq) ? seq : undefined;
}

/** The run that an entry belongs to, by its key. */
export function runOfKey(key: Key): RunRef | undefined {
  const [name, startTime] = (Array.isArray(key) ? key : []) as readonly unknown[];
  return isText(name) && isTime(startTime) ? { name, startTime } : undefined;
}

export function isProgressKey(key: Key): boolean {
  return Array.isArray(key) && key[2] === PROGRESS;
}

/** Whether a value is a chunk: any program can write to this channel. */
export function isChunk(value: unknown): value is LogChunk {
  const chunk = fieldsOf<LogChunk>(value);
  if (chunk === undefined) return false;
  const { at, line, offset, lines, text, dropped, end } = chunk;
  const isPlaced = isTime(at) && isCount(line) && isCount(offset) && isOptional(dropped, isAmount);
  if (!isPlaced || !isCount(lines) || !isText(text) || !isOptional(end, (it) => it === true)) return false;
  return lines === countLines(text);
}

function countLines(text: string): number {
  if (text === "") return 0;
  let count = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function isAmount(value: unknown): boolean {
  const { lines, bytes } = fieldsOf<LogAmount>(value) ?? {};
  return isCount(lines) && isCount(bytes);
}

/** Whether a value is the progress of a run. */
export function isProgress(value: unknown): value is Progress {
  const { done, total, text, at }: Fields<Progress> = fieldsOf<Progress>(value) ?? {};
  return isNumber(done) && isOptional(total, isNumber) && isOptional(text, isText) && isTime(at);
}
