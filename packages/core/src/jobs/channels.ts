import type { Channel } from "../channel/channel.js";
import { openChannel } from "../channel/open.js";
import type { LocksValue } from "../locks/entries/schema.js";
import type { TurnValue } from "../locks/sweep/turn.js";
import { systemClock } from "../util/clock.js";
import type { JobManagerOptions, RunRecord } from "./types.js";

const JOBS = "oJobManager-jobs";
const LOCKS = "oJobManager-locks";

/**
 * The turns of managers that look after the records. They are in the store of the records, as managers with
 * the same locks may have their records in different stores. They have their own channel, so that readers of
 * the jobs channel find only records.
 */
const TURNS = "oJobManager-turns";

/** The channels of a manager. */
export interface Channels {
  readonly jobs: Channel<RunRecord>;
  readonly locks: Channel<LocksValue>;
  readonly turns: Channel<TurnValue>;
}

/** Opens all channels of a manager, or none. */
export async function openChannels(options: JobManagerOptions): Promise<Channels> {
  const { clock = systemClock, chJobs = {}, chLocks = {} } = options;
  const jobs = await openChannel<RunRecord>(JOBS, { ...chJobs, clock });
  let locks: Channel<LocksValue> | undefined;
  try {
    locks = await openChannel<LocksValue>(LOCKS, { ...chLocks, clock });
    const turns = await openChannel<TurnValue>(TURNS, { ...chJobs, clock });
    return { jobs, locks, turns };
  } catch (error) {
    await locks?.close();
    await jobs.close();
    throw error;
  }
}

export async function closeChannels({ jobs, locks, turns }: Channels): Promise<void> {
  await locks.close();
  await turns.close();
  await jobs.close();
}
