import { unlessCorrupt } from "../channel/calls/corrupt.js";
import { failedCheck } from "../channel/calls/failed-check.js";
import type { Channel } from "../channel/channel.js";
import type { CommitResult, Entry, Op, Version } from "../channel/types.js";
import { assertNotCorrupt } from "./entries/corrupt.js";
import { heldLock } from "./entries/held.js";
import {
  type AuditValue,
  auditKey,
  type Holder,
  type LocksValue,
  type LockValue,
  lockKey,
  type StopRequest,
  sessionKey,
} from "./entries/schema.js";
import { holdOf } from "./entries/valid.js";
import type { HeldLeases } from "./hold/held-leases.js";
import { commitWithRequest } from "./hold/stop-requests.js";
import type { HeldLock } from "./types.js";

/** A forced unlock. */
export interface ForcedUnlock {
  readonly name: string;
  readonly reason: string;
  readonly at: number;
  readonly by: Holder;
  /** The person behind that process. */
  readonly author?: string;
  /** Take the lock from the lease with this fence alone. */
  readonly fence?: Version;
  /** Awaited before the lock is removed. */
  before(lock: Entry<LockValue>, by: Holder): Promise<void>;
  /** Records a lock of this process for the cleanup, as the store may or may not have removed it. */
  leave(name: string, token: string): void;
}

/**
 * Removes a lock from any holder, and leaves an audit record. Resolves to the lock as it was; `undefined` if
 * it was free, or had another fence than the one asked for.
 */
export async function forceUnlock(
  channel: Channel<LocksValue>,
  held: HeldLeases,
  unlock: ForcedUnlock,
): Promise<HeldLock | undefined> {
  const { name, reason, before, leave } = unlock;
  let lock = (await channel.entry(lockKey(name))) as Entry<LockValue> | undefined;
  while (lock !== undefined) {
    assertNotCorrupt(channel.name, name, { lock });
    if (unlock.fence !== undefined && unlock.fence !== lock.version) return undefined;
    await before(lock, unlock.by);
    const { token } = lock.value;
    const ours = held.find(token);
    // From here on the holder's own release does nothing. It would remove the lock without an audit record.
    if (ours !== undefined) held.remove(ours);
    // Fire the holder's signal before the commit: the next holder can begin as soon as the store has applied
    // it.
    ours?.abort("LOST", `it was unlocked by force: ${reason}`);
    const result = await remove(channel, lock, unlock, ours !== undefined).catch((error: unknown) => {
      if (ours !== undefined) leave(name, token);
      throw error;
    });
    if (result.ok) return heldLock(lock, undefined);
    lock = result.failed[0]?.current as Entry<LockValue> | undefined;
  }
  return undefined;
}

/**
 * Removes the lock. The same commit tells its holder the reason, unless others ask that holder for something
 * at this moment: it then learns only that its lock is gone.
 */
async function remove(
  channel: Channel<LocksValue>,
  { key, value, version: fence }: Entry<LockValue>,
  { reason, by, author, at }: ForcedUnlock,
  isOurs: boolean,
): Promise<CommitResult<LocksValue>> {
  const { name, holder } = value;
  const who = { reason, by, at, ...(author !== undefined && { author }) };
  const audit: AuditValue = { name, action: "unlock", ...who, lock: value, fence };
  const isHold = holdOf(value) !== undefined;
  const ops: Op<LocksValue>[] = [
    { check: key, version: fence },
    { delete: key },
    ...(isHold ? [{ delete: sessionKey(holder.instance) }] : []),
    { put: auditKey(name, at, fence), value: audit },
  ];
  if (isOurs || isHold) return channel.commit(ops);
  const request: StopRequest = { name, fence, action: "unlock", ...who };
  const told = await unlessCorrupt(commitWithRequest(channel, holder.instance, request, ops));
  if (told?.ok === true || failedCheck(told?.failed ?? [], key) !== undefined) return told as CommitResult<LocksValue>;
  return channel.commit(ops);
}
