import type { Channel } from "../channel/channel.js";
import { encodeValue, type JsonValue } from "../channel/json.js";
import type { Entry, Key } from "../channel/types.js";
import { isForeign } from "../locks/foreign.js";
import { isOverwritten, recordUnder } from "./read.js";
import type { RunRecord, RunStatus } from "./types.js";

/** Of the text of an error, in characters. */
const LONGEST_ERROR = 10_000;

/** What is left to the rest of a record, in bytes. */
const ROOM = 32_768;

export const recordKey = (name: string, startTime: number): Key => ({ name, startTime });

/** The record of a run that begins. */
export function startedRecord(
  run: Pick<RunRecord, "name" | "startTime" | "holder" | "trigger" | "timeout"> & {
    readonly tick?: number | undefined;
  },
): RunRecord {
  const { name, startTime, holder, trigger, timeout, tick } = run;
  const startDate = new Date(startTime).toISOString();
  const forTick = tick === undefined ? {} : { tick };
  return { name, startTime, startDate, status: "running", holder, trigger, ...forTick, timeout };
}

/** How a run ended. */
export interface Ending {
  readonly status: Exclude<RunStatus, "running">;
  readonly error?: string;
  readonly result?: JsonValue;
}

/** The record of a run that ended at `now`. */
export function closed(record: RunRecord, fence: string | undefined, now: number, ending: Ending): RunRecord {
  // A start time that moved on because it was taken, or a clock that was set back, must not give a duration below zero.
  const endTime = Math.max(now, record.startTime);
  return {
    ...record,
    ...(fence === undefined ? {} : { fence }),
    ...ending,
    endTime,
    endDate: new Date(endTime).toISOString(),
    duration: endTime - record.startTime,
    inError: ending.status !== "completed",
  };
}

/**
 * Closes a record that is still open. Resolves to the record as it was closed by us, or `undefined` if it was not there or was closed
 * before: of several callers exactly one closes it.
 */
export async function closeOpen(
  jobs: Channel<RunRecord>,
  key: Key,
  endTime: number,
  ending: Ending,
): Promise<RunRecord | undefined> {
  for (;;) {
    const entry = await recordUnder(jobs, key);
    if (entry?.value.status !== "running") return undefined;
    const record = closed(entry.value, fenceOf(entry), endTime, ending);
    try {
      if ((await jobs.compareAndSet(key, entry.version, record)).ok) return record;
    } catch (error) {
      if (!isForeign(error) || !(await isOverwritten(jobs, key))) throw error;
    }
  }
}

/**
 * The fence of a run. Where the lock and the record were written in one step it is the record's own first version, which nobody knew
 * when the record was written.
 */
export function fenceOf(entry: Pick<Entry<RunRecord>, "value" | "version">): string | undefined {
  return entry.value.fence ?? (entry.value.status === "running" ? entry.version : undefined);
}

/** The record of an entry, with its fence. */
export function toRecord(entry: Pick<Entry<RunRecord>, "value" | "version">): RunRecord {
  const fence = fenceOf(entry);
  return fence === undefined || entry.value.fence !== undefined ? entry.value : { ...entry.value, fence };
}

/** Why a record is closed at its timeout, in words. */
export function timeoutText(name: string, timeout: number): string {
  return `the run of "${name}" took longer than its timeout of ${timeout} ms`;
}

/** An error in words, for a record: of a text that no store might take, the beginning. */
export function errorText(error: unknown): string {
  const text = inWords(error);
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR)}…` : text;
}

function inWords(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : safeText(error);
  return error.name === "Error" || error.name === "RunError" ? error.message : `${error.name}: ${error.message}`;
}

function safeText(value: unknown): string {
  try {
    return encodeValue(value);
  } catch {
    return typeof value === "object" ? Object.prototype.toString.call(value) : String(value);
  }
}

/** What a body returned, if it is JSON, not nothing, and leaves room for the rest of the record in the `most` bytes that the store takes. */
export function resultOf(value: unknown, most: number): { result?: JsonValue } {
  if (value === undefined || value === null) return {};
  try {
    const text = encodeValue(value);
    // No character has more than three bytes for each unit of its length.
    const fits = text.length * 3 + ROOM <= most || Buffer.byteLength(text) + ROOM <= most;
    return fits ? { result: value as JsonValue } : {};
  } catch {
    // A body may return anything to its caller; only JSON can be kept.
    return {};
  }
}
