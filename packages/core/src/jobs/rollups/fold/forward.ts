import type { Clock } from "../../../util/clock.js";
import type { RecordRef } from "../../records/time-index.js";
import { floorTo, MINUTE } from "../cell.js";
import { type FoldEntry, type FoldState, openRefs } from "../entries.js";
import { refPages } from "./ref-pages.js";
import type { Repairing } from "./repair.js";
import { Tally } from "./tally.js";
import { writeFolded, writeState } from "./write-cells.js";

/**
 * After how many records, or how many ms, a batch ends with its minute. A batch writes each hour of a name
 * once, so short batches write more. What a batch has read is lost if its process dies.
 */
const BATCH = 10_000;
const SLICE = 2_000;

/** Where a fold goes. */
export interface Forward extends Repairing {
  readonly clock: Clock;
  /** The cursor at the end. */
  readonly target: number;
  /** The state at the end, apart from the cursor. */
  readonly final: Pick<FoldState, "near" | "far">;
}

/** Folds the records between the cursor and `target`, batch by batch. Each moves the cursor as it commits. */
export async function forward(going: Forward, entry: FoldEntry | undefined): Promise<FoldEntry | undefined> {
  const { times, target, final, signal, goesOn } = going;
  let current = entry;
  if (current?.state === undefined) return undefined;
  if (current.state.cursor >= target) return writeState(times, current, { ...current.state, ...final });
  // A batch of several commits that died half way leaves such entries beyond the cursor.
  const left = await openRefs(times, { from: current.state.cursor, to: target, signal });
  while (current?.state !== undefined && current.state.cursor < target) {
    const { cursor } = current.state;
    const { tally, end } = await readBatch(going, cursor);
    if (!(await goesOn())) return undefined;
    const next = { ...current.state, ...(end >= target && final), cursor: end };
    const closed = left.filter((ref) => ref.startTime >= cursor && ref.startTime < end && !isOpen(tally, ref));
    current = await writeFolded(times, { tally, closed }, current, next);
  }
  return current;
}

async function readBatch(
  { index, jobs, clock, target, signal, pause }: Forward,
  cursor: number,
): Promise<{ readonly tally: Tally; readonly end: number }> {
  const tally = new Tally();
  const began = clock.monotonic();
  let count = 0;
  for await (const page of refPages(index, { from: cursor, to: target, signal, pause })) {
    await tally.addUnder(jobs, page);
    count += page.length;
    const end = floorTo(page.at(-1)?.startTime ?? cursor, MINUTE);
    if (end <= cursor || (count < BATCH && clock.monotonic() < began + SLICE)) continue;
    // The minute of the last record may have more of them.
    tally.cut(end);
    return { tally, end };
  }
  return { tally, end: target };
}

function isOpen({ open }: Tally, { name, startTime }: RecordRef): boolean {
  return open.get(name)?.some((ref) => ref.startTime === startTime) === true;
}
