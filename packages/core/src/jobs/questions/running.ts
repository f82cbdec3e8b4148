import type { Channel } from "../../channel/channel.js";
import type { Locks } from "../../locks/locks.js";
import { recordsOf } from "../records/orphans.js";
import { toRecord } from "../records/record.js";
import type { RunRecord } from "../types.js";

/** So many records are read at once, so that ten thousand running jobs do not cost as many round trips. */
const AT_ONCE = 100;

/** The records of the open runs of all processes, found by their locks. */
export async function running(jobs: Channel<RunRecord>, locks: Locks): Promise<RunRecord[]> {
  const found: RunRecord[] = [];
  const held = await locks.list();
  for (let i = 0; i < held.length; i += AT_ONCE) {
    const entries = await recordsOf(jobs, held.slice(i, i + AT_ONCE));
    for (const entry of entries) if (entry?.value.status === "running") found.push(toRecord(entry));
  }
  return found;
}
