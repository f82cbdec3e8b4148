import type { Channel } from "../channel/channel.js";
import type { EntriesOptions, Entry, Key } from "../channel/types.js";
import { isForeign, readable, unlessForeign } from "../locks/foreign.js";
import type { RunRecord } from "./types.js";

/** Whether a value is the record of a run: scripts, and others, may keep what they like in this channel. */
export function isRecord(value: unknown): value is RunRecord {
  const { name, startTime, startDate, status, holder } = (value ?? {}) as Partial<RunRecord>;
  return (
    typeof name === "string" &&
    typeof startTime === "number" &&
    typeof startDate === "string" &&
    typeof status === "string" &&
    typeof holder?.pid === "number"
  );
}

/** The record under a key; `undefined` where there is none, also if something else is there. */
export async function recordUnder(jobs: Channel<RunRecord>, key: Key): Promise<Entry<RunRecord> | undefined> {
  const entry = await unlessForeign(jobs.entry(key));
  return entry !== undefined && isRecord(entry.value) ? entry : undefined;
}

/** Whether something else is there where a record should be. */
export async function isOverwritten(jobs: Channel<RunRecord>, key: Key): Promise<boolean> {
  try {
    const entry = await jobs.entry(key);
    return entry !== undefined && !isRecord(entry.value);
  } catch (error) {
    if (!isForeign(error)) throw error;
    return true;
  }
}

/** The records of a range, and nothing else that is in it. */
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
      if (!isRecord(entry.value)) continue;
      left--;
      yield entry as Entry<RunRecord>;
    }
    // What is no record does not count: there may be more behind it.
    if (left === 0 || seen < asked) return;
  }
}
