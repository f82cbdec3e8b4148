import type { Channel } from "../channel/channel.js";
import { openChannel } from "../channel/open.js";
import { systemClock } from "../clock.js";
import type { LocksValue } from "../locks/entries.js";
import type { TurnValue } from "../locks/turn.js";
import type { JobManagerOptions, RunRecord } from "./types.js";

const JOBS = "oJobManager-jobs";
const LOCKS = "oJobManager-locks";

/**
 * Whose turn it is to look after the records: in the store of the records, as managers with the same locks may keep their records elsewhere; and
 * apart from the records, as whoever reads those wants nothing else.
 */
const TURNS = "oJobManager-turns";

/** What a manager keeps. */
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
