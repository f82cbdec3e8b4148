import { failedCheck } from "../../channel/calls/failed-check.js";
import type { Channel } from "../../channel/channel.js";
import type { Entry, FailedCheck, Op, Version } from "../../channel/types.js";
import { commitTogether, type PreparedWrites } from "../atomic-writes.js";
import { queueOps } from "../entries/queue.js";
import {
  type LocksValue,
  type LockValue,
  lockKey,
  type QueueValue,
  queueKey,
  type SessionValue,
  sessionKey,
  type Ticket,
} from "../entries/schema.js";

import type { LockView } from "../entries/view.js";
import type { Session } from "../session/session.js";

/**
 * One attempt to take a lock, in one commit. It succeeds only if the session lives and the lock and its queue
 * are still as in `view`.
 */
export interface Attempt {
  readonly session: Session;
  readonly view: LockView;
  readonly value: LockValue;
  /** The queue once the lock is taken. */
  readonly waiting: readonly Ticket[];
  /** The writes of the lock's owner, in the same commit. */
  readonly writes: PreparedWrites;
}

/** The result of an attempt. */
export type AttemptOutcome =
  | { readonly type: "taken"; readonly fence: Version }
  /** Another holder has the lock, or another waiter is ahead. */
  | { readonly type: "blocked"; readonly view: LockView }
  /** The store has no session entry, or another version of it than the attempt expected. */
  | { readonly type: "session"; readonly current: Entry<SessionValue> | undefined }
  /** A check of the owner's writes failed. */
  | { readonly type: "refused"; readonly current: Entry<unknown> | undefined };

/** Makes one attempt. Writes all or nothing. */
export async function attempt(locks: Channel<LocksValue>, request: Attempt): Promise<AttemptOutcome> {
  const { session, view, value, waiting, writes } = request;
  const keys = { session: sessionKey(session.id), lock: lockKey(value.name), queue: queueKey(value.name) };
  const ops: Op<LocksValue>[] = [
    { check: keys.session, version: session.version },
    { check: keys.lock, version: view.lock?.version ?? null },
    { check: keys.queue, version: view.queue?.version ?? null },
    { put: keys.lock, value },
    ...queueOps(value.name, view.queue?.value.waiting ?? [], waiting),
  ];
  const result = await commitTogether(locks, ops, writes);
  return result.ok ? { type: "taken", fence: result.version } : refusal(result.failed, keys, view);
}

function refusal(
  failed: readonly FailedCheck<unknown>[],
  keys: Record<"session" | "lock" | "queue", unknown>,
  view: LockView,
): AttemptOutcome {
  const session = failedCheck(failed, keys.session);
  if (session !== undefined) return { type: "session", current: session.current as Entry<SessionValue> | undefined };
  const lock = failedCheck(failed, keys.lock);
  const queue = failedCheck(failed, keys.queue);
  if (lock === undefined && queue === undefined) return { type: "refused", current: failed[0]?.current };
  return {
    type: "blocked",
    view: {
      lock: lock === undefined ? view.lock : (lock.current as Entry<LockValue> | undefined),
      queue: queue === undefined ? view.queue : (queue.current as Entry<QueueValue> | undefined),
    },
  };
}
