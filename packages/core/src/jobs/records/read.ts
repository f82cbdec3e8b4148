import type { Channel } from "../../channel/channel.js";
import { isCorrupt, readable, unlessCorrupt } from "../../channel/corrupt.js";
import type { EntriesOptions, Entry, Key } from "../../channel/types.js";
import { isHolder } from "../../locks/entries/valid.js";
import { type Fields, fieldsOf, isCount, isId, isMap, isOptional, isSpan, isText, isTime } from "../../util/shape.js";
import { visible } from "../../util/text.js";
import { hasPolicyFields } from "../retry/policy.js";
import type { EndedBy, RunRecord, RunStatus } from "../types.js";

/** Each status that a record can have. */
export const RUN_STATUSES: readonly RunStatus[] = [
  "running",
  "completed",
  "skipped",
  "failed",
  "timeout",
  "cancelled",
  "lost",
];

export const isStatus = (status: unknown): status is RunStatus => (RUN_STATUSES as readonly unknown[]).includes(status);

/**
 * Whether a run has ended. A later version of ojm may write a status that is unknown here: such a run has
 * ended if its record has an end time. Without one, it is neither ended nor open, so it is never closed here.
 */
export function hasEnded({ status, endTime }: Pick<RunRecord, "status" | "endTime">): boolean {
  return status !== "running" && (endTime !== undefined || isStatus(status));
}

const VERBS: Readonly<Record<string, string>> = {
  completed: "completed",
  skipped: "had nothing to do",
  failed: "failed",
  timeout: "timed out",
  cancelled: "was cancelled",
  lost: "was lost",
};

/** How a run ended, as a verb: `a@… failed at …`. A later version of ojm may write another status. */
export const endVerb = (status: string): string =>
  Object.hasOwn(VERBS, status) ? `${VERBS[status]}` : `ended as ${visible(status)}`;

/** Whether a key is that of a record: scripts and other programs may keep other entries in this channel. */
export function isRecordKey(key: Key): key is { readonly name: string; readonly startTime: number } {
  const { name, startTime, ...more } = fieldsOf<RunRecord>(key) ?? {};
  return isText(name) && isTime(startTime) && Object.keys(more).length === 0;
}

/**
 * Whether an entry is a complete record of a run: any program can write to this channel. A record whose name
 * or start time differs from its key is rejected, because it could not be found by them. A later version of
 * ojm may write more: an unknown field, status or backoff is allowed.
 */
export function isRecord({ key, value }: { readonly key: Key; readonly value: unknown }): boolean {
  const record = fieldsOf<RunRecord>(value);
  if (record === undefined || !isRecordKey(key)) return false;
  if (record.name !== key.name || record.startTime !== key.startTime) return false;
  const { startDate, status, holder, trigger, timeout, fence } = record;
  const isStarted = isText(startDate) && isHolder(holder) && isText(trigger) && isSpan(timeout);
  return isStarted && isId(status) && isOptional(fence, isText) && hasExtras(record) && hasEnd(record);
}

/** Whether the optional fields of a record can be shown. */
function hasExtras({
  id,
  versions,
  lock,
  permits,
  rate,
  schedule,
  tick,
  delay,
  args,
  meta,
  ...chain
}: Fields<RunRecord>): boolean {
  if (!isOptional(lock, isText) || !isOptional(permits, isMap) || !isOptional(rate, isMap)) return false;
  if (!isOptional(versions, isVersions) || !isOptional(id, isText) || !isOptional(schedule, isText)) return false;
  const { attempt, chain: first, retry } = chain;
  if (!isOptional(attempt, isCount) || !isOptional(first, isText) || !isOptional(retry, hasPolicyFields)) return false;
  return isOptional(tick, isTime) && isOptional(delay, isSpan) && isOptional(args, isMap) && isOptional(meta, isMap);
}

function isVersions(value: unknown): boolean {
  const { ojm, node } = fieldsOf<NonNullable<RunRecord["versions"]>>(value) ?? {};
  return isText(ojm) && isText(node);
}

/** Whether the fields of a record's end that are present can be shown and used in sums. */
function hasEnd(record: Fields<RunRecord>): boolean {
  const { endTime, endDate, duration, inError } = record;
  if (inError !== undefined && typeof inError !== "boolean") return false;
  const isDated = isOptional(endTime, isTime) && isOptional(endDate, isText) && isOptional(duration, isSpan);
  return isDated && END_FIELDS.every((field) => isOptional(record[field], END_CHECKS[field]));
}

/** A field that the end of a run can add to its record, beside its times. */
export type EndField = "error" | "stack" | "endedBy" | "handedOver" | "result" | "exit";

const END_CHECKS: { readonly [Field in EndField]: (value: unknown) => boolean } = {
  error: isText,
  stack: isText,
  endedBy: isEndedBy,
  handedOver: isAny,
  result: isAny,
  exit: isExit,
};

export const END_FIELDS = Object.keys(END_CHECKS) as readonly EndField[];

function isAny(): boolean {
  return true;
}

export function isExit(value: unknown): boolean {
  const exit = fieldsOf<NonNullable<RunRecord["exit"]>>(value);
  return exit !== undefined && isOptional(exit.code, isCount) && isOptional(exit.signal, isText);
}

function isEndedBy(value: unknown): boolean {
  const { action, by, author, reason } = fieldsOf<EndedBy>(value) ?? {};
  return isText(action) && isHolder(by) && isOptional(author, isText) && isText(reason);
}

/** The record under a key; `undefined` if the entry is missing or is not a record. */
export async function recordUnder(jobs: Channel<RunRecord>, key: Key): Promise<Entry<RunRecord> | undefined> {
  const entry = await unlessCorrupt(jobs.entry(key));
  return entry !== undefined && isRecord(entry) ? entry : undefined;
}

/** The same for several keys, in one call to the store. */
export async function recordsUnder(
  jobs: Channel<RunRecord>,
  keys: readonly Key[],
): Promise<(Entry<RunRecord> | undefined)[]> {
  try {
    const entries = await jobs.entriesUnder(keys);
    return entries.map((entry) => (entry !== undefined && isRecord(entry) ? entry : undefined));
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return Promise.all(keys.map((key) => recordUnder(jobs, key)));
  }
}

/** Whether the entry under the key of a record is not a record. */
export async function isOverwritten(jobs: Channel<RunRecord>, key: Key): Promise<boolean> {
  try {
    const entry = await jobs.entry(key);
    return entry !== undefined && !isRecord(entry);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return true;
  }
}

/** The records of a range. Skips all other entries. */
export async function* records(
  jobs: Channel<RunRecord>,
  { limit = Number.POSITIVE_INFINITY, ...range }: EntriesOptions,
): AsyncGenerator<Entry<RunRecord>, void, undefined> {
  let left = limit;
  let last: Key | undefined;
  for (;;) {
    const asked = left;
    const behind = last === undefined ? {} : range.reverse === true ? { before: last } : { after: last };
    let seen = 0;
    for await (const entry of readable(jobs, { ...range, ...behind, limit: asked })) {
      seen++;
      last = entry.key;
      if (!isRecord(entry)) continue;
      left--;
      yield entry as Entry<RunRecord>;
    }
    // Entries that are not records do not count towards `limit`: continue behind them.
    if (left === 0 || seen < asked) return;
  }
}
