import { readable, unlessCorrupt } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import { encodeKey } from "../../channel/encoding/key.js";
import type { Entry, Key } from "../../channel/types.js";
import { fieldsOf, isTime } from "../../util/shape.js";
import type { RunRecord } from "../types.js";
import { isRecord } from "./read.js";
import type { TimeIndex } from "./time-index.js";

/** How many entries of the records one look checks. */
const SLICE = 500;

/** The time from the start of one check of all records to that of the next, in ms. */
const REST = 3_600_000;

/** How far the check of all records has come, in the channel of the turns. */
interface CheckedValue {
  /** When this check of all records began, in ms since 1970. */
  readonly began: number;
  /** The last key that was checked; `null` if all were. */
  readonly after: Key | null;
}

const CHECKED: Key = "indexed";

/** What the filling of an index needs. */
export interface Filling {
  readonly jobs: Channel<RunRecord>;
  readonly turns: Channel<unknown>;
  readonly index: TimeIndex;
  readonly signal: AbortSignal;
  now(): number;
  /** Asked before each commit: another process may have taken over the work. */
  goesOn(): Promise<boolean>;
}

/**
 * Adds to the index the records that it lacks: those of an older version of ojm or of another program, which
 * write records alone.
 *
 * A store without an index is filled at once, as the history of all names reads every name until then. In any
 * other store, each look checks one slice of the records, and a check of all records begins once an hour.
 */
export async function fillIndex(filling: Filling): Promise<void> {
  const { index } = filling;
  if (!index.kept) return;
  await ((await index.isComplete()) ? checkSlice(filling) : fillAll(filling));
}

async function fillAll({ index, now, ...filling }: Filling): Promise<void> {
  let after: Key | null | undefined;
  do {
    const slice = await readSlice(filling, after);
    if (!(await filling.goesOn())) return;
    // If one of these records has changed meanwhile, read it again.
    if (await index.addMissing(filling.jobs, slice.records)) after = slice.last;
  } while (after !== null);
  await index.setFilled({ at: now() });
}

async function checkSlice({ index, now, ...filling }: Filling): Promise<void> {
  const { turns, jobs } = filling;
  const checked = await readChecked(turns);
  const isOver = checked === undefined || checked.after === null;
  // A start in the future comes from a wrong clock.
  if (isOver && checked !== undefined && now() >= checked.began && now() < checked.began + REST) return;
  const began = isOver ? now() : checked.began;
  const { records, last } = await readSlice(filling, checked?.after ?? undefined);
  if (!(await filling.goesOn())) return;
  // What has changed meanwhile is checked an hour later.
  await index.addMissing(jobs, records);
  await turns.set(CHECKED, { began, after: last } satisfies CheckedValue);
}

/** The records among the next entries, and the last key of these; `null` if there are no more. */
async function readSlice(
  { jobs, signal }: Pick<Filling, "jobs" | "signal">,
  after: Key | undefined | null,
): Promise<{ readonly records: readonly Entry<RunRecord>[]; readonly last: Key | null }> {
  const records: Entry<RunRecord>[] = [];
  let last: Key | null = null;
  let count = 0;
  const range = { limit: SLICE, signal, ...(after !== undefined && after !== null && { after }) };
  for await (const entry of readable(jobs, range)) {
    count++;
    last = entry.key;
    if (isRecord(entry)) records.push(entry as Entry<RunRecord>);
  }
  return { records, last: count < SLICE ? null : last };
}

/** `undefined` if no check has begun, or if somebody overwrote the entry. */
async function readChecked(turns: Channel<unknown>): Promise<CheckedValue | undefined> {
  const { began, after } = fieldsOf<CheckedValue>(await unlessCorrupt(turns.get(CHECKED))) ?? {};
  if (!isTime(began) || after === undefined) return undefined;
  try {
    if (after !== null) encodeKey(after as Key);
  } catch {
    return undefined;
  }
  return { began, after: after as Key | null };
}
