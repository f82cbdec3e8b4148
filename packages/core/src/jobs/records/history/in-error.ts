import type { Channel } from "../../../channel/channel.js";
import type { RunRecord } from "../../types.js";
import { recordsUnder } from "../read.js";
import { recordKeyOf, toRecord } from "../record.js";
import { BEGIN_OF_TIME, END_OF_TIME, type RecordRef, type TimeIndex } from "../time-index.js";
import { beginOf, type HistoryRange } from "./range.js";

/** How many records are read at once. */
const AT_ONCE = 100;

/** The runs of all names that ended in error, the latest end first. */
export function failuresOf(
  jobs: Channel<RunRecord>,
  index: TimeIndex,
  { from = BEGIN_OF_TIME, to = END_OF_TIME, limit, signal }: HistoryRange,
): AsyncGenerator<RunRecord, void, undefined> {
  return failedUnder(jobs, index.failures(from, to, signal), limit);
}

/** The runs of all names that ended with one of these statuses, which are in error, newest first. */
export function historyInError(
  jobs: Channel<RunRecord>,
  index: TimeIndex,
  statuses: ReadonlySet<unknown>,
  asked: HistoryRange,
): AsyncGenerator<RunRecord, void, undefined> {
  const { from = BEGIN_OF_TIME, limit, signal } = asked;
  const range = { from, before: beginOf(asked), ...(signal && { signal }) };
  return failedUnder(jobs, withStatus(index.inError(range), statuses), limit);
}

async function* withStatus(
  refs: AsyncGenerator<RecordRef & { readonly status: unknown }, void, undefined>,
  statuses: ReadonlySet<unknown>,
): AsyncGenerator<RecordRef, void, undefined> {
  for await (const ref of refs) if (statuses.has(ref.status)) yield ref;
}

async function* failedUnder(
  jobs: Channel<RunRecord>,
  all: AsyncGenerator<RecordRef, void, undefined>,
  limit: number,
): AsyncGenerator<RunRecord, void, undefined> {
  let left = limit;
  if (left <= 0) return;
  let refs: RecordRef[] = [];
  for await (const ref of all) {
    refs.push(ref);
    if (refs.length < Math.min(left, AT_ONCE)) continue;
    for (const record of await failed(jobs, refs)) {
      yield record;
      left--;
    }
    refs = [];
    if (left <= 0) return;
  }
  yield* await failed(jobs, refs);
}

/** Skips what was overwritten, or is in the index alone. */
async function failed(jobs: Channel<RunRecord>, refs: readonly RecordRef[]): Promise<RunRecord[]> {
  const entries = await recordsUnder(jobs, refs.map(recordKeyOf));
  return entries.flatMap((entry) => (entry?.value.inError === true ? [toRecord(entry)] : []));
}
