import type { Channel } from "../../channel/channel.js";
import type { HeldLock } from "../../locks/types.js";
import { recordsOf } from "../records/orphans.js";
import { toRecord } from "../records/record.js";
import type { RunRecord } from "../types.js";

/** So many records are read at once, so that ten thousand running jobs do not cost as many round trips. */
const AT_ONCE = 100;

/** The records of the open runs that hold these locks. */
export async function runningRuns(jobs: Channel<RunRecord>, locks: readonly HeldLock[]): Promise<RunRecord[]> {
  const running: RunRecord[] = [];
  for (let i = 0; i < locks.length; i += AT_ONCE) {
    const entries = await recordsOf(jobs, locks.slice(i, i + AT_ONCE));
    for (const entry of entries) if (entry?.value.status === "running") running.push(toRecord(entry));
  }
  return running;
}
