import type { Channel } from "../../channel/channel.js";
import type { RunRecord } from "../types.js";
import { isRecordKey } from "./read.js";
import type { RecordRef, TimeIndex } from "./time-index.js";

/** The most refs of one commit. */
const AT_ONCE = 100;

const DAY = 86_400_000;

/** What the filling of an index needs. */
export interface Filling {
  readonly jobs: Channel<RunRecord>;
  readonly index: TimeIndex;
  readonly signal: AbortSignal;
  now(): number;
  /** Asked before each commit: another process may have taken over the work. */
  goesOn(): Promise<boolean>;
}

/**
 * Adds to the index the records that an older version of ojm left in the store. Until that is done, the
 * history of all names reads every name.
 *
 * Does it again after a day: while processes are replaced one by one, those of the older version go on
 * writing records that the index does not have.
 */
export async function fillIndex(filling: Filling): Promise<void> {
  const { jobs, index, now, signal } = filling;
  if (!index.kept) return;
  const filled = await index.filled();
  if (filled?.settled === true || (filled !== undefined && now() < filled.at + DAY)) return;
  let isEmpty = true;
  for await (const _ of jobs.keys({ limit: 1, signal })) isEmpty = false;
  if (!isEmpty && !(await addAll(filling))) return;
  await index.setFilled({ at: now(), settled: isEmpty || filled !== undefined });
}

/** Resolves to false if another process has taken over. */
async function addAll({ jobs, index, signal, goesOn }: Filling): Promise<boolean> {
  const most = Math.min(AT_ONCE, jobs.supports.maxOps);
  let batch: RecordRef[] = [];
  for await (const { key } of jobs.keys({ signal })) {
    if (!isRecordKey(key)) continue;
    batch.push(key);
    if (batch.length < most) continue;
    if (!(await goesOn())) return false;
    await index.put(batch);
    batch = [];
  }
  if (batch.length > 0) await index.put(batch);
  return true;
}
