import type { Channel } from "../../../channel/channel.js";
import type { RunRecord } from "../../types.js";
import { recordsUnder } from "../read.js";
import { recordKeyOf, toRecord } from "../record.js";
import { BEGIN_OF_TIME, type RecordRef, type TimeIndex } from "../time-index.js";
import { beginOf, type HistoryRange, timeOf } from "./range.js";

/** How many records are read at once. */
const AT_ONCE = 100;

/** How far the first window of a history reaches back, in ms, and how much longer each next one is. */
const FIRST_WINDOW = 3_600_000;
const LONGER = 16;
const YEAR = 365 * 86_400_000;

/**
 * The records of all names, newest first, by the index. Skips what is in the index alone.
 *
 * Reads a window of time after the other: to find the end of a range, etcd counts all of its keys.
 */
export async function* historyByTime(
  jobs: Channel<RunRecord>,
  index: TimeIndex,
  now: number,
  asked: HistoryRange,
): AsyncGenerator<RunRecord, void, undefined> {
  const { from = BEGIN_OF_TIME, limit, signal } = asked;
  let before = beginOf(asked);
  let window = FIRST_WINDOW;
  let after = Math.max(from, Math.min(timeOf(before), now) - window);
  for (let left = limit; left > 0; ) {
    const most = Math.min(left, AT_ONCE);
    const refs: RecordRef[] = await index.refs({ after, before, reverse: true, limit: most, signal });
    const entries = await recordsUnder(jobs, refs.map(recordKeyOf));
    for (const entry of entries) {
      if (entry === undefined) continue;
      yield toRecord(entry);
      left--;
    }
    if (refs.length === most) {
      before = refs.at(-1) ?? before;
      continue;
    }
    if (after <= from) return;
    before = after;
    window *= LONGER;
    // Beyond a year, read all that is left.
    after = window > YEAR ? from : Math.max(from, after - window);
  }
}
