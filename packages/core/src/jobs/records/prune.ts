import type { Channel } from "../../channel/channel.js";
import type { CallOptions } from "../../channel/types.js";
import type { LogsValue } from "../logs/chunk.js";
import { pruneLogs } from "../logs/prune-logs.js";
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
}

/** Deletes the records of runs that ended long ago. Resolves to how many. */
export async function prune(
  stores: PrunedStores,
  now: number,
  { olderThan, name, keep = 0, signal }: PruneOptions,
): Promise<number> {
  const { jobs, index } = stores;
  const pruning: Pruning = { ...stores, cutoff: now - olderThan, options: signal === undefined ? {} : { signal } };
  // A record and its entries in the index go in one commit: up to four ops each.
  const most = Math.max(1, Math.min(AT_ONCE, Math.floor(jobs.supports.maxOps / (index.kept ? 4 : 1))));
  if (name === undefined && keep === 0 && (await index.isComplete())) return pruneByTime(pruning, most);
  return pruneByName(pruning, most, { name, keep });
}

async function pruneByTime({ jobs, index, logs, cutoff, options }: Pruning, most: number): Promise<number> {
  let removed = 0;
  let after: RecordRef | undefined;
  for (;;) {
    const range = { before: cutoff, limit: most, signal: options.signal, ...(after && { after }) };
    const refs: RecordRef[] = await index.refs(range);
    const entries = await recordsUnder(jobs, refs.map(recordKeyOf));
    const old = entries.flatMap((entry) => (entry !== undefined && isOld(entry.value, cutoff) ? [entry.value] : []));
    // Somebody deleted or overwrote these records. Without this, each prune would read them again.
    const gone = refs.filter((_, i) => entries[i] === undefined);
    await remove({ jobs, index, logs, options }, old, gone);
    removed += old.length;
    if (refs.length < most) return removed;
    after = refs.at(-1);
  }
}

async function pruneByName(
  { jobs, index, logs, cutoff, options }: Pruning,
  most: number,
  { name: only, keep }: { readonly name: string | undefined; readonly keep: number },
): Promise<number> {
  let removed = 0;
  let batch: RunRecord[] = [];
  const flush = async (): Promise<void> => {
    await remove({ jobs, index, logs, options }, batch, []);
    removed += batch.length;
    batch = [];
  };
  for await (const name of only === undefined ? names(jobs, options.signal) : [only]) {
    let newer = 0;
    for await (const { value } of records(jobs, { prefix: { name }, reverse: true, ...options })) {
      if (newer++ < keep || !isOld(value, cutoff)) continue;
      batch.push(value);
      if (batch.length >= most) await flush();
    }
  }
  await flush();
  return removed;
}

/** No check is needed: nobody writes a closed record again. */
async function remove(
  { jobs, index, logs, options }: Omit<Pruning, "cutoff">,
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

function isOld({ endTime }: RunRecord, cutoff: number): boolean {
  return endTime !== undefined && endTime < cutoff;
}
