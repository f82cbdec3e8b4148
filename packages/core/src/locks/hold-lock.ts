import type { Channel } from "../channel/channel.js";
import type { CommitResult, Entry } from "../channel/types.js";
import { heldLock } from "./entries/held.js";
import {
  type AuditValue,
  auditKey,
  type Hold,
  type LocksValue,
  type LockValue,
  lockKey,
  type SessionValue,
  sessionKey,
} from "./entries/schema.js";
import type { Lease } from "./hold/lease.js";
import type { HeldLock } from "./types.js";

/** A lock that a person takes, and for how long. */
export interface Holding {
  readonly hold: Hold;
  /** A session that no process has: `hold-` and a random text. */
  readonly session: string;
  /** What the audit tells of it. */
  readonly audit: AuditValue;
  /** The time left, in ms. */
  readonly life: number;
}

/**
 * Turns a lease into a lock that outlives its process: one commit gives the lock to a session that no process
 * renews, and that ends with `life`. Nobody else can have the lock in between. Resolves to `undefined` if the
 * lease lost the lock.
 *
 * All that look at a lock look at its session, so nothing else has to know that a person holds it.
 */
export async function holdLock(
  channel: Channel<LocksValue>,
  lease: Lease,
  { hold, session, life, audit }: Holding,
): Promise<HeldLock | undefined> {
  const key = lockKey(lease.name);
  const { host, pid } = lease.session.holder;
  // An identity that no host has: nobody concludes from its own processes that this one is gone.
  const process = { host, pid, boot: session, namespace: "", started: "" };
  const since = hold.at;
  const living: SessionValue = { id: session, process, since, beat: 0, hold: true };
  const value: LockValue = {
    name: lease.name,
    holder: { host, pid, instance: session },
    token: session,
    since,
    timeout: life,
    until: lease.until,
    note: { hold: { ...hold } },
  };
  const result: CommitResult<LocksValue> = await channel.commit([
    { check: key, version: lease.fence },
    { put: sessionKey(session), value: living, ttl: life },
    { put: key, value },
    { put: auditKey(lease.name, audit.at, session), value: audit },
  ]);
  return result.ok ? heldLock({ value, version: result.version } as Entry<LockValue>, undefined) : undefined;
}
