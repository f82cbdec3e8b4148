import type { Clock } from "../../../util/clock.js";
import { recordsUnder } from "../../records/read.js";
import { recordKeyOf } from "../../records/record.js";
import type { RecordRef } from "../../records/time-index.js";
import { floorTo, MINUTE } from "../cell.js";
import { type FoldEntry, type FoldState, openRefs } from "../entries.js";
import { readAhead } from "./read-ahead.js";
import { refPages } from "./ref-pages.js";
import type { Repairing } from "./repair.js";
import { Tally } from "./tally.js";
import { writeFolded, writeState } from "./write-cells.js";

/**
 * After how many records, or how many ms, a batch ends with its minute. A batch writes each hour of a name
 * once, so short batches write more. What a batch has read is lost if its process dies.
 */
const BATCH = 20_000;
const SLICE = 2_000;

/** Where a fold goes. */
export interface Forward extends Repairing {
  readonly clock: Clock;
  /** The cursor at the end. */
  readonly target: number;
  /** The state at the end, apart from the cursor. */
  readonly final: Pick<FoldState, "near" | "far">;
}

/**
 * Folds the records between the cursor and `target`, batch by batch. Each moves the cursor as it commits.
 * While it commits, the records of the next one are read: a record that changes after that is found as those
 * are that change after the commit.
 */
export async function forward(going: Forward, entry: FoldEntry | undefined): Promise<FoldEntry | undefined> {
  const { index, jobs, clock, times, target, final, signal, pause } = going;
  if (entry?.state === undefined) return undefined;
  if (entry.state.cursor >= target) return writeState(times, entry, { ...entry.state, ...final });
  const from = entry.state.cursor;
  // A batch of several commits that died half way leaves such entries beyond the cursor.
  const left = await openRefs(times, { from, to: target, signal });
  const pages = readAhead(refPages(index, { from, to: target, signal, pause }), async (refs) => ({
    count: refs.length,
    last: refs.at(-1)?.startTime ?? from,
    entries: await recordsUnder(jobs, refs.map(recordKeyOf)),
  }));
  let current = entry;
  let tally = new Tally();
  let began = clock.monotonic();
  let count = 0;
  for await (const page of pages) {
    tally.addAll(page.entries);
    count += page.count;
    // The minute of the last record may have more of them.
    const end = floorTo(page.last, MINUTE);
    if (end <= (current.state?.cursor ?? end) || (count < BATCH && clock.monotonic() < began + SLICE)) continue;
    const rest = tally.splitAt(end);
    const moved = await move(going, { tally, left, end }, current);
    if (moved === undefined) return undefined;
    [current, tally, count, began] = [moved, rest, 0, clock.monotonic()];
  }
  return move(going, { tally, left, end: target }, current);
}

/** What lies between the cursor and `end`. */
interface Batch {
  readonly tally: Tally;
  /** Runs that a fold found open before. */
  readonly left: readonly RecordRef[];
  readonly end: number;
}

/** Commits a batch. Resolves to the new state; to `undefined` if another process has taken over. */
async function move(
  { times, target, final, goesOn }: Forward,
  { tally, left, end }: Batch,
  entry: FoldEntry,
): Promise<FoldEntry | undefined> {
  const { state } = entry;
  if (state === undefined || !(await goesOn())) return undefined;
  const next = { ...state, ...(end >= target && final), cursor: end };
  const isIn = ({ startTime }: RecordRef): boolean => startTime >= state.cursor && startTime < end;
  const closed = left.filter((ref) => isIn(ref) && !isOpen(tally, ref));
  return writeFolded(times, { tally, closed }, entry, next);
}

function isOpen({ open }: Tally, { name, startTime }: RecordRef): boolean {
  return open.get(name)?.some((ref) => ref.startTime === startTime) === true;
}
