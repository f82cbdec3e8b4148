import { isCorrupt } from "../channel/calls/corrupt.js";
import { failedCheck } from "../channel/calls/failed-check.js";
import { endingUntil, retry } from "../channel/calls/retry.js";
import type { Channel } from "../channel/channel.js";
import type { Op } from "../channel/types.js";
import type { Clock } from "../util/clock.js";
import { type AtomicWrites, commitTogether } from "./atomic-writes.js";
import { type LocksValue, lockKey } from "./entries/schema.js";
import type { Lease } from "./hold/lease.js";

/** What a release needs besides the lease. */
export interface ReleaseContext {
  readonly channel: Channel<LocksValue>;
  readonly clock: Clock;
  /** The time to live of a session, in ms. A release is retried for this time at most. */
  readonly ttl: number;
}

/**
 * Removes the lock from the store, if the lease still has it. Resolves to whether the lease had it: if so,
 * the store applied the owner's writes in the same step.
 *
 * Retries while the store cannot be reached and the session lives, for one `ttl` at most: a full disk cannot
 * block `close()` for longer.
 */
export async function releaseLock(
  { channel, clock, ttl }: ReleaseContext,
  { name, fence, session, until }: Lease,
  writes: AtomicWrites | undefined,
): Promise<boolean> {
  const key = lockKey(name);
  const ops: Op<LocksValue>[] = [{ check: key, version: fence }, { delete: key }];
  const options = { clock, until: endingUntil(clock.monotonic(), until, ttl), goesOn: () => session.alive };
  for (;;) {
    try {
      const result = await retry(options, () => commitTogether(channel, ops, writes?.prepare(session.holder) ?? {}));
      if (result.ok) return true;
      if (failedCheck(result.failed, key) !== undefined) return false;
      await writes?.refused(result.failed[0]?.current);
    } catch (error) {
      if (!isCorrupt(error) || (await writes?.corrupt?.()) !== true) throw error;
    }
  }
}
