import type { Channel } from "../../channel/channel.js";
import { compareVersions } from "../../channel/encoding/version.js";
import type { Version } from "../../channel/types.js";
import { records, recordsUnder } from "../../jobs/records/read.js";
import { recordKey, recordKeyOf } from "../../jobs/records/record.js";
import { BEGIN_OF_TIME, type RecordRef, type TimeIndex } from "../../jobs/records/time-index.js";
import type { RunRecord } from "../../jobs/types.js";
import { PAGE, type RefRange, refPages, Tally, writeFolded } from "./cells.js";
import { type FoldEntry, type FoldState, floorTo, MINUTE, openRefs } from "./entries.js";

/** How far behind the cursor each fold checks for late records, in ms. */
export const NEAR = 600_000;

/** The number of refs of the index that each fold checks on its way through all of them. */
const FAR = 20 * PAGE;

/** The findings of a check. */
interface Late {
  readonly refs: readonly RecordRef[];
  readonly far: FoldState["far"];
}

/**
 * The records behind the cursor that were written since the last check there: the clock of their host is
 * slow, or their commit took long. Start times are ordered by several clocks, versions by the store.
 *
 * Each fold checks the last ten minutes, and a part of the whole index. So a record that is later than ten
 * minutes is found too, within as many folds as the index has tens of thousands of records.
 */
export async function lateRefs(
  index: TimeIndex,
  { cursor, near, far }: FoldState,
  mark: Version,
  pace: Pick<RefRange, "signal" | "pause">,
): Promise<Late> {
  const refs: RecordRef[] = [];
  const take = (page: readonly (RecordRef & { readonly version: Version })[], seen: Version): void => {
    for (const ref of page) if (ref.startTime < cursor && compareVersions(ref.version, seen) > 0) refs.push(ref);
  };
  for await (const page of refPages(index, { from: near.from, to: cursor, ...pace })) take(page, near.version);
  const from = far.at ?? (await firstTime(index, pace.signal)) ?? cursor;
  const begun = far.at === undefined ? mark : far.begun;
  let count = 0;
  for await (const page of refPages(index, { from, to: cursor, ...pace })) {
    take(page, far.version);
    count += page.length;
    const at = page.at(-1)?.startTime ?? from;
    // Runs that began in the same ms are not split: the next part would begin with them again.
    if (count >= FAR && at > from) return { refs, far: { at, begun, version: far.version } };
  }
  return { refs, far: { begun, version: begun } };
}

/** The start time of the oldest record; `undefined` if there is none. */
export async function firstTime(index: TimeIndex, signal: AbortSignal | undefined): Promise<number | undefined> {
  const [first] = await index.refs({ limit: 1, signal });
  return first?.startTime;
}

/** The most refs of one commit, and the number of ops that each may need. */
const REFS_AT_ONCE = 200;
const OPS_OF_REF = 4;

/** From this many late records on, all minutes between them are counted again: that reads more at once. */
const MANY_LATE_RECORDS = 1_000;

/** The inputs of a repair. */
export interface Repairing {
  readonly jobs: Channel<RunRecord>;
  readonly times: Channel<unknown>;
  readonly index: TimeIndex;
  readonly signal: AbortSignal;
  /** Awaited after each page, so that other work can run. */
  pause(): Promise<void>;
  /** Called before each commit: another process may have taken over the work. */
  goesOn(): Promise<boolean>;
}

/** The runs that were open when the fold passed them, and are no longer. */
export async function closedSince({ jobs, times, signal }: Repairing, cursor: number): Promise<RecordRef[]> {
  const open = await openRefs(times, { from: BEGIN_OF_TIME, to: cursor, signal });
  const closed: RecordRef[] = [];
  for (let i = 0; i < open.length; i += PAGE) {
    const some = open.slice(i, i + PAGE);
    const entries = await recordsUnder(jobs, some.map(recordKeyOf));
    closed.push(...some.filter((_, at) => entries[at]?.value.status !== "running"));
  }
  return closed;
}

/**
 * Counts the minutes before the cursor again in which a record is late, or a run is no longer open. It sets
 * their cells from the records, so it may be repeated any number of times.
 */
export async function repair(
  repairing: Repairing,
  entry: FoldEntry | undefined,
  late: readonly RecordRef[],
  closed: readonly RecordRef[],
): Promise<FoldEntry | undefined> {
  let current = entry;
  if (late.length > MANY_LATE_RECORDS) current = await repairRange(repairing, current, late);
  const minutes = minutesOf(late.length > MANY_LATE_RECORDS ? closed : [...late, ...closed]);
  const isClosed = new Map<string, RecordRef[]>();
  for (const ref of closed) isClosed.set(minuteId(ref), [...(isClosed.get(minuteId(ref)) ?? []), ref]);
  const most = Math.max(1, Math.min(REFS_AT_ONCE, Math.floor((repairing.times.supports.maxOps - 2) / OPS_OF_REF)));
  for (let i = 0; i < minutes.length; i += most) {
    const some = minutes.slice(i, i + most);
    const tally = new Tally();
    await Promise.all(some.map((minute) => addMinute(repairing, minute, tally)));
    current = await write(
      repairing,
      current,
      tally,
      some.flatMap((ref) => isClosed.get(minuteId(ref)) ?? []),
    );
  }
  return current;
}

async function repairRange(
  repairing: Repairing,
  entry: FoldEntry | undefined,
  late: readonly RecordRef[],
): Promise<FoldEntry | undefined> {
  const times = late.map(({ startTime }) => startTime).toSorted((a, b) => a - b);
  const range = { from: floorTo(times[0] ?? 0, MINUTE), to: floorTo(times.at(-1) ?? 0, MINUTE) + MINUTE };
  const tally = new Tally();
  for await (const page of refPages(repairing.index, { ...range, signal: repairing.signal, pause: repairing.pause })) {
    await tally.addUnder(repairing.jobs, page);
  }
  return write(repairing, entry, tally, []);
}

async function write(
  { times, goesOn }: Repairing,
  entry: FoldEntry | undefined,
  tally: Tally,
  closed: readonly RecordRef[],
): Promise<FoldEntry | undefined> {
  if (entry?.state === undefined || !(await goesOn())) return undefined;
  return writeFolded(times, { tally, closed }, entry, { ...entry.state, repairs: entry.state.repairs + 1 });
}

/** Adds all runs of a name that began in one minute. */
async function addMinute({ jobs, signal }: Repairing, { name, startTime }: RecordRef, tally: Tally): Promise<void> {
  const range = { after: recordKey(name, startTime - 1), before: recordKey(name, startTime + MINUTE) };
  for await (const { value } of records(jobs, { prefix: { name }, ...range, signal })) {
    if (value.startTime >= startTime) tally.add(value);
  }
}

/** The minutes of some records, each once, with the start of the minute as start time. */
function minutesOf(refs: readonly RecordRef[]): RecordRef[] {
  const minutes = refs.map((ref) => [minuteId(ref), { name: ref.name, startTime: floorTo(ref.startTime, MINUTE) }]);
  return [...new Map(minutes as [string, RecordRef][]).values()];
}

function minuteId({ startTime, name }: RecordRef): string {
  return `${floorTo(startTime, MINUTE)} ${name}`;
}
