import type { Channel } from "../../channel/channel.js";
import type { CallOptions } from "../../channel/types.js";
import type { InMs } from "../../util/duration.js";
import type { LogsValue } from "../logs/chunk.js";
import { pruneLogs } from "../logs/prune-logs.js";
import { pruneRollups } from "../rollups/prune-rollups.js";
import type { PruneOptions, RunRecord } from "../types.js";
import { names } from "./history/by-name.js";
import { records, recordsUnder } from "./read.js";
import { recordKey, recordKeyOf } from "./record.js";
import type { RecordRef, TimeIndex } from "./time-index.js";

/** The most records of one commit. */
const AT_ONCE = 200;

/** Where a prune deletes. */
export interface PrunedStores {
  readonly jobs: Channel<RunRecord>;
  readonly index: TimeIndex;
  /** The logs of the runs, which are deleted with their records. */
  readonly logs: Channel<LogsValue>;
}

interface Pruning extends PrunedStores {
  /** Deletes the records of runs that ended before this time, in ms since 1970. */
  readonly cutoff: number;
  readonly options: CallOptions;
  /** The oldest record that is left of each name, as far as the prune met it. */
  readonly oldest: Map<string, number>;
}

/** Deletes the records of runs that ended long ago. Resolves to how many. */
export async function prune(
  stores: PrunedStores,
  now: number,
  { olderThan, name, keep = 0, signal }: InMs<PruneOptions>,
): Promise<number> {
  const { index } = stores;
  const options = signal === undefined ? {} : { signal };
  const pruning: Pruning = { ...stores, cutoff: now - olderThan, options, oldest: new Map() };
  const most = mostAtOnce(stores);
  const byTime = name === undefined && keep === 0 && (await index.isComplete());
  const removed = await (byTime ? pruneByTime(pruning, most) : pruneByName(pruning, most, { name, keep }));
  const oldest = (of: string): number | undefined => pruning.oldest.get(of);
  await pruneRollups(index.channel, { cutoff: pruning.cutoff, name, oldest }, options);
  return removed;
}

/** How many records one commit deletes: each goes with its entries in the index, up to four ops. */
export function mostAtOnce({ jobs, index }: Pick<PrunedStores, "jobs" | "index">): number {
  return Math.max(1, Math.min(AT_ONCE, Math.floor(jobs.supports.maxOps / (index.kept ? 4 : 1))));
}

/** Notes a record that is left. */
function leave({ oldest }: Pruning, { name, startTime }: RecordRef): void {
  oldest.set(name, Math.min(startTime, oldest.get(name) ?? startTime));
}

async function pruneByTime(pruning: Pruning, most: number): Promise<number> {
  const { jobs, index, cutoff, options } = pruning;
  let removed = 0;
  let after: RecordRef | undefined;
  for (;;) {
    const range = { before: cutoff, limit: most, signal: options.signal, ...(after && { after }) };
    const refs: RecordRef[] = await index.refs(range);
    const entries = await recordsUnder(jobs, refs.map(recordKeyOf));
    const old = entries.flatMap((entry) => (entry !== undefined && isOld(entry.value, cutoff) ? [entry.value] : []));
    // Somebody deleted or overwrote these records. Without this, each prune would read them again.
    const gone = refs.filter((_, i) => entries[i] === undefined);
    for (const entry of entries) if (entry !== undefined && !isOld(entry.value, cutoff)) leave(pruning, entry.value);
    await remove(pruning, old, gone);
    removed += old.length;
    if (refs.length < most) return removed;
    after = refs.at(-1);
  }
}

async function pruneByName(
  pruning: Pruning,
  most: number,
  { name: only, keep }: { readonly name: string | undefined; readonly keep: number },
): Promise<number> {
  const { jobs, cutoff, options } = pruning;
  let removed = 0;
  let batch: RunRecord[] = [];
  const flush = async (): Promise<void> => {
    await remove(pruning, batch, []);
    removed += batch.length;
    batch = [];
  };
  for await (const name of only === undefined ? names(jobs, options.signal) : [only]) {
    let newer = 0;
    for await (const { value } of records(jobs, { prefix: { name }, reverse: true, ...options })) {
      if (newer++ < keep || !isOld(value, cutoff)) {
        leave(pruning, value);
        continue;
      }
      batch.push(value);
      if (batch.length >= most) await flush();
    }
  }
  await flush();
  return removed;
}

/**
 * Deletes records and their logs. `gone`: refs of the index without a record.
 *
 * No check is needed: nobody writes a closed record again.
 */
export async function remove(
  { jobs, index, logs, options }: PrunedStores & Pick<Pruning, "options">,
  old: readonly RunRecord[],
  gone: readonly RecordRef[],
): Promise<void> {
  if (old.length + gone.length === 0) return;
  const deletes = old.map(({ name, startTime }) => ({ delete: recordKey(name, startTime) }));
  const indexed = index.remove([...old, ...gone]);
  const ops = deletes.length + indexed.reduce((count, one) => count + one.ops.length, 0);
  const room = jobs.joins(logs as Channel<unknown>) ? jobs.supports.maxOps - ops : 0;
  const logged = await pruneLogs(logs, [...old, ...gone], room, options);
  await jobs.commitWith<unknown[]>(deletes, [...indexed, ...logged], options);
}

/** Whether a run ended before this time. */
export function isOld({ endTime }: RunRecord, cutoff: number): boolean {
  return endTime !== undefined && endTime < cutoff;
}
