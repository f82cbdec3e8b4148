import { isCorrupt } from "../channel/calls/corrupt.js";
import { failedCheck } from "../channel/calls/failed-check.js";
import { beforeRetry, endingUntil } from "../channel/calls/retry.js";
import type { CommitResult, Entry, Op } from "../channel/types.js";
import { type AtomicWrites, commitTogether, type Keeping } from "./atomic-writes.js";
import type { LocksValue, LockValue } from "./entries/schema.js";
import { isLock, keptOf } from "./entries/valid.js";
import type { Lease, LeaseContext } from "./hold/lease.js";

/**
 * Removes the lock from the store, if the lease still has it, or keeps it for what comes next: see {@link
 * Keeping}. Resolves to whether the lease had it: if so, the store applied the owner's writes in the same
 * step.
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
  const check: Op<LocksValue> = { check: key, version: lease.fence };
  const until = endingUntil(clock.monotonic(), lease.until, ttl);
  try {
    for (;;) {
      const began = clock.monotonic();
      const prepared = writes?.prepare(session);
      const keeping = prepared?.keeping;
      const kept = keeping && keptLock(context, lease, keeping);
      const end: Op<LocksValue> = kept === undefined ? { delete: key } : { put: key, value: kept };
      let result: CommitResult<unknown>;
      try {
        result = await commitTogether(channel, [check, end], prepared);
      } catch (error) {
        if (!isCorrupt(error)) await beforeRetry({ clock, until, goesOn: () => session.alive }, began, error);
        else if ((await writes?.corrupt?.()) !== true) throw error;
        continue;
      }
      if (result.ok) {
        if (kept !== undefined) beginKept(context, lease, { value: kept, version: result.version }, keeping);
        return true;
      }
      const refused = failedCheck(result.failed, key);
      if (refused !== undefined)
        return isKeptBy(lease, refused.current) && beginKept(context, lease, refused.current, keeping);
      await writes?.refused(result.failed[0]?.current);
    }
  } catch (error) {
    context.onReleaseFailed(lease, writes?.unwritten?.(error));
    throw error;
  } finally {
    context.onReleased();
  }
}

/** The lock as it is kept. It has the token of the lease: the cleanup after a lost answer finds both. */
function keptLock({ clock }: LeaseContext, { name, token, session }: Lease, { note, timeout }: Keeping): LockValue {
  const until = clock.monotonic() + timeout;
  return { name, holder: session.holder, token, since: clock.now(), timeout, until, note };
}

/** Whether an earlier commit of this release, whose answer was lost, has kept the lock. */
function isKeptBy({ name, token }: Lease, current: Entry<unknown> | undefined): current is Entry<LockValue> {
  const value = current?.value;
  return isLock(value, name) && value.token === token && keptOf(value) !== undefined;
}

function beginKept(
  { begin }: LeaseContext,
  { name, token, key, session }: Lease,
  { value, version: fence }: Pick<Entry<LockValue>, "value" | "version">,
  keeping: Keeping | undefined,
): true {
  const { timeout, until } = value;
  const lease = begin({ name, fence, token, key, timeout, until, owner: keeping?.owner }, session);
  keeping?.owner.keeps(lease);
  return true;
}
