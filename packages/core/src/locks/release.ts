import { beforeRetry, endingUntil, failedCheck } from "../channel/calls.js";
import { isCorrupt } from "../channel/corrupt.js";
import type { CommitResult, Op } from "../channel/types.js";
import { type AtomicWrites, commitTogether } from "./atomic-writes.js";
import type { LocksValue } from "./entries/schema.js";
import type { Lease, LeaseContext } from "./hold/lease.js";

/**
 * Removes the lock from the store, if the lease still has it. Resolves to whether the lease had it: if so,
 * the store applied the owner's writes in the same step.
 *
 * Retries while the store cannot be reached and the session lives, for one `ttl` at most. A full store
 * rejects at once: the lock is removed later, once there is room.
 */
export async function releaseLock(
  context: LeaseContext,
  lease: Lease,
  writes: AtomicWrites | undefined,
): Promise<boolean> {
  const { channel, clock, ttl } = context;
  const { session, key } = lease;
  // The commit of the lock wrote them too, so they have its version.
  let keys = [key, ...lease.ownKeys];
  const until = endingUntil(clock.monotonic(), lease.until, ttl);
  try {
    for (;;) {
      const began = clock.monotonic();
      const prepared = writes?.prepare(session);
      const ops = keys.flatMap((one): Op<LocksValue>[] => [{ check: one, version: lease.fence }, { delete: one }]);
      let result: CommitResult<unknown>;
      try {
        result = await commitTogether(channel, ops, prepared);
      } catch (error) {
        if (!isCorrupt(error)) await beforeRetry({ clock, until, continues: () => session.alive }, began, error);
        else if ((await writes?.corrupt?.()) !== true) throw error;
        continue;
      }
      if (result.ok) return true;
      if (failedCheck(result.failed, key) !== undefined) return false;
      const { failed } = result;
      const gone = keys.filter((one) => failedCheck(failed, one) !== undefined);
      // Another process took this session for dead, and gave a key to another run.
      keys = keys.filter((one) => !gone.includes(one));
      if (failed.length > gone.length) await writes?.refused(failed[gone.length]?.current);
    }
  } catch (error) {
    context.onReleaseFailed(lease, writes?.unwritten?.(error));
    throw error;
  } finally {
    context.onReleased();
  }
}
