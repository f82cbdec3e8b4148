import type { Channel } from "../../channel/channel.js";
import { isCorrupt } from "../../channel/corrupt.js";
import { encodeValue, type JsonValue } from "../../channel/encoding/json.js";
import { nearestJson } from "../../channel/encoding/nearest-json.js";
import type { Entry, Key, Op, Version } from "../../channel/types.js";
import type { LockError } from "../../locks/errors.js";
import { VERSIONS } from "../../locks/versions.js";
import { durationText } from "../../util/duration.js";
import { isText } from "../../util/shape.js";
import { elapsedSince, startDateOf } from "../../util/start-time.js";
import { RunError } from "../errors.js";
import { runEnded } from "../events.js";
import { runId } from "../run-id.js";
import type { RunRecord, RunStatus } from "../types.js";
import { END_FIELDS, type EndField, isOverwritten, recordUnder } from "./read.js";
import type { TimeIndex } from "./time-index.js";

/** The longest text of an error in a record, in characters. */
const LONGEST_ERROR = 10_000;

/** The number of errors of a chain of causes that a record contains. */
const MOST_CAUSES = 5;

/** The room kept for the rest of a record beside the result, in bytes. */
const ROOM_BESIDE_RESULT = 32_768;

export const recordKey = (name: string, startTime: number): Key => ({ name, startTime });

export const recordKeyOf = ({ name, startTime }: Pick<RunRecord, "name" | "startTime">): Key =>
  recordKey(name, startTime);

/** The fields that only some runs have, from their start. */
export type Extras = Pick<
  RunRecord,
  "lock" | "permits" | "rate" | "schedule" | "tick" | "delay" | "attempt" | "chain" | "retry" | "args" | "meta"
>;

/** The name of the lock of a run. */
export const lockOf = ({ name, lock = name }: Pick<RunRecord, "name" | "lock">): string => lock;

/** The record of a run that starts. */
export function startedRecord(
  run: Pick<RunRecord, "name" | "startTime" | "holder" | "trigger" | "timeout">,
  extras?: Extras,
): RunRecord {
  const { name, startTime, holder, trigger, timeout } = run;
  const startDate = startDateOf(startTime);
  const id = `${name}@${startDate}`;
  const record: RunRecord = {
    name,
    startTime,
    startDate,
    id,
    status: "running",
    holder,
    trigger,
    timeout,
    versions: VERSIONS,
  };
  return extras === undefined ? record : { ...record, ...extras };
}

/** The end of a run. */
export interface Ending extends Pick<RunRecord, EndField> {
  readonly status: Exclude<RunStatus, "running">;
}

/** The record of a run that ended at `now`, made of a read one: with the fields of later versions. */
export function closed(record: RunRecord, fence: string | undefined, now: number, ending: Ending): RunRecord {
  const endTime = endAfter(record.startTime, now);
  return {
    ...record,
    ...(fence === undefined ? {} : { fence }),
    ...ending,
    endTime,
    endDate: new Date(endTime).toISOString(),
    duration: elapsedSince(record.startTime, now),
    inError: isError(ending.status),
  };
}

/** The end of a run. Its start time may be later than now: it was moved, or the clock was set back. */
const endAfter = (startTime: number, now: number): number => Math.max(now, Math.ceil(startTime));

function isError(status: RunStatus): boolean {
  return status !== "completed" && status !== "skipped";
}

/**
 * Like {@link closed}, for a record that {@link startedRecord} made with these `extras`. Without extras the
 * fields of the start are known, so they are copied one by one: a spread takes ten times as long, which is a
 * quarter of the time of a run in memory.
 */
export function ended(record: RunRecord, fence: string, now: number, ending: Ending, extras?: Extras): RunRecord {
  if (extras !== undefined) return closed(record, fence, now, ending);
  const { name, startTime, startDate, id, holder, trigger, timeout, versions } = record;
  const { status } = ending;
  const endTime = endAfter(startTime, now);
  const end = { name, startTime, startDate, id, status, holder, trigger, timeout, versions, fence } as Ended;
  Object.assign(end, ending);
  end.endTime = endTime;
  end.endDate = new Date(endTime).toISOString();
  end.duration = elapsedSince(startTime, now);
  end.inError = isError(status);
  return end;
}

/** Whether a record that {@link ended} made has no field but those of most ends: {@link RecordText.ended}. */
export function hasPlainEnd(record: RunRecord): boolean {
  return END_FIELDS.every((field) => field === "error" || record[field] === undefined);
}

/** The end that a record has; `undefined` if its run is open. */
export function endingOf(record: RunRecord): Ending | undefined {
  const { status } = record;
  const fields = END_FIELDS.flatMap((field) => (record[field] === undefined ? [] : [[field, record[field]]]));
  return status === "running" ? undefined : { status, ...Object.fromEntries(fields) };
}

type Ended = { -readonly [K in keyof RunRecord]: RunRecord[K] };

/** The ops that close an open record, if it is still at this version. */
export function closingOps(key: Key, version: Version, record: RunRecord): Op<RunRecord>[] {
  return [
    { check: key, version },
    { put: key, value: record },
  ];
}

/**
 * Closes a record that is open. Resolves to the closed record; `undefined` if there is no open record. Of
 * several callers exactly one closes it. `fence`: that of its lock, if the lock is there.
 */
export async function closeOpen(
  { jobs, index }: { readonly jobs: Channel<RunRecord>; readonly index: TimeIndex },
  key: Key,
  endTime: number,
  ending: Ending,
  fence?: string,
): Promise<RunRecord | undefined> {
  for (;;) {
    const entry = await recordUnder(jobs, key);
    if (entry?.value.status !== "running") return undefined;
    const record = closed(entry.value, fence ?? fenceOf(entry), endTime, ending);
    try {
      const ops = closingOps(key, entry.version, record);
      if ((await jobs.commitWith<unknown[]>(ops, index.addClosed(record))).ok) {
        runEnded.publish(() => ({ record }));
        return record;
      }
    } catch (error) {
      if (!isCorrupt(error) || !(await isOverwritten(jobs, key))) throw error;
    }
  }
}

/** The fence of a run: the first version of its record, if one commit wrote that with the lock. */
export function fenceOf(entry: Pick<Entry<RunRecord>, "value" | "version">): string | undefined {
  return entry.value.fence ?? (entry.value.status === "running" ? entry.version : undefined);
}

/** The record of an entry, with its fence, and with its id if an older version of ojm wrote it. */
export function toRecord(entry: Pick<Entry<RunRecord>, "value" | "version">): RunRecord {
  const { value } = entry;
  const fence = fenceOf(entry);
  if (value.id !== undefined && (fence === undefined || value.fence !== undefined)) return value;
  return { ...value, id: runId(value), ...(fence !== undefined && { fence }) };
}

/** The error text of a run that was closed at its timeout. */
export function timeoutText(name: string, timeout: number): string {
  return `the run of "${name}" took longer than its timeout of ${durationText(timeout)}`;
}

/** The error of a run whose lease ended before it did. */
export function leaseOverError(name: string, timeout: number, cause: LockError): RunError {
  if (cause.code === "TIMEOUT") return new RunError("TIMEOUT", name, timeoutText(name, timeout), { cause });
  return new RunError("LOST", name, `the run of "${name}" may no longer hold its lock: ${cause.message}`, { cause });
}

/** The text of an error for a record, cut to a length that each store accepts. */
export function errorText(error: unknown): string {
  const text = inWords(error);
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR)}…` : text;
}

/** The stack of an error and of its causes, for a record; `undefined` for a value that is not an `Error`. */
export function stackText(error: unknown): string | undefined {
  let text = "";
  let next = error;
  // An error can be its own cause, through any number of other errors.
  for (let depth = 0; next instanceof Error && depth < MOST_CAUSES; depth++) {
    text += `${depth === 0 ? "" : "\ncaused by: "}${ownStack(next)}`;
    next = next.cause;
  }
  if (text === "") return undefined;
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR)}…` : text;
}

function ownStack({ name, message, stack }: Error): string {
  return isText(stack) && stack !== "" ? stack : `${name}: ${message}`;
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

/** The part of a result that the record of a run keeps. */
export interface KeptResult {
  /** Absent if the result is `null` or `undefined`, has nothing that JSON can hold, or is too large. */
  readonly result?: JsonValue;
  /** The parts that were converted or left out. */
  readonly lost: readonly string[];
}

const NOTHING: KeptResult = { lost: [] };

/** The part of a body's return value that fits into a record of at most `most` bytes. */
export function resultOf(value: unknown, most: number): KeptResult {
  if (value === undefined || value === null) return NOTHING;
  try {
    return ifItFits(encodeValue(value), most, { result: value as JsonValue, lost: [] });
  } catch {
    // A body may return any value to its caller, but the record can keep only JSON.
    const { kept, lost } = nearestJson(value, "result");
    if (kept === undefined || kept === null) return { lost };
    return ifItFits(encodeValue(kept), most, { result: kept, lost });
  }
}

function ifItFits(text: string, most: number, kept: KeptResult): KeptResult {
  // A character has at most three bytes per UTF-16 unit, so short texts need no count.
  const fits = text.length * 3 + ROOM_BESIDE_RESULT <= most || Buffer.byteLength(text) + ROOM_BESIDE_RESULT <= most;
  return fits ? kept : { lost: [`result is too large for the store, ${Buffer.byteLength(text)} bytes: left out`] };
}
