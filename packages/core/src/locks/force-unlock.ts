import type { Channel } from "../channel/channel.js";
import type { CommitResult, Entry } from "../channel/types.js";
import { assertNotCorrupt } from "./entries/corrupt.js";
import { heldLock } from "./entries/held.js";
import { type AuditValue, auditKey, type Holder, type LocksValue, type LockValue, lockKey } from "./entries/schema.js";
import type { HeldLeases } from "./hold/held-leases.js";
import type { HeldLock } from "./types.js";

/** A forced unlock. */
export interface ForcedUnlock {
  readonly name: string;
  readonly reason: string;
  readonly at: number;
  readonly by: Holder;
  /** Awaited before the lock is removed. */
  before(lock: Entry<LockValue>, by: Holder): Promise<void>;
  /** Records a lock of this process for the cleanup, as the store may or may not have removed it. */
  abandon(name: string, token: string): void;
}

/**
 * Removes a lock from any holder, and leaves an audit record. Resolves to the lock as it was; `undefined` if
 * it was free.
 */
export async function forceUnlock(
  channel: Channel<LocksValue>,
  held: HeldLeases,
  unlock: ForcedUnlock,
): Promise<HeldLock | undefined> {
  const { name, reason, before, abandon } = unlock;
  let lock = (await channel.entry(lockKey(name))) as Entry<LockValue> | undefined;
  while (lock !== undefined) {
    assertNotCorrupt(channel.name, name, { lock });
    await before(lock, unlock.by);
    const { token } = lock.value;
    const ours = held.find(token);
    // From here on the holder's own release does nothing. It would remove the lock without an audit record.
    if (ours !== undefined) held.remove(ours);
    // Fire the holder's signal before the commit: the next holder can begin as soon as the store has applied
    // it.
    ours?.abort("LOST", `it was unlocked by force: ${reason}`);
    const result = await remove(channel, lock, unlock).catch((error: unknown) => {
      if (ours !== undefined) abandon(name, token);
      throw error;
    });
    if (result.ok) return heldLock(lock, undefined);
    lock = result.failed[0]?.current as Entry<LockValue> | undefined;
  }
  return undefined;
}

function remove(
  channel: Channel<LocksValue>,
  { value, version: fence }: Entry<LockValue>,
  { reason, by, at }: ForcedUnlock,
): Promise<CommitResult<LocksValue>> {
  const audit: AuditValue = { name: value.name, at, reason, by, lock: value, fence };
  const key = lockKey(value.name);
  return channel.commit([
    { check: key, version: fence },
    { delete: key },
    { put: auditKey(value.name, at, fence), value: audit },
  ]);
}
