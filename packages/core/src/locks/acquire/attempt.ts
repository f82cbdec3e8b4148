import { failedCheck } from "../../channel/calls/failed-check.js";
import type { Entry, FailedCheck, Key, Op } from "../../channel/types.js";
import type { KeysOfLock } from "../entries/lock-keys.js";
import { queueOps } from "../entries/queue.js";
import type { LocksValue, LockValue, QueueValue, SessionValue, Ticket } from "../entries/schema.js";
import type { LockView } from "../entries/view.js";
import type { Session } from "../session/session.js";

/**
 * One attempt to take a lock, in one commit. It succeeds only if the session lives and the lock and its queue
 * are still as in `view`.
 */
export interface Attempt {
  readonly session: Session;
  readonly name: string;
  readonly keys: KeysOfLock;
  readonly view: LockView;
  readonly value: LockValue;
  /** The queue once the lock is taken. */
  readonly waiting: readonly Ticket[];
}

/** The ops of an attempt, and the keys that they check. */
export interface AttemptOps extends KeysOfLock {
  readonly ops: readonly Op<LocksValue>[];
  readonly session: Key;
}

/** Why an attempt did not get the lock. */
export type Refusal =
  /** Another holder has the lock, or another waiter is ahead. */
  | { readonly type: "blocked"; readonly view: LockView }
  /** The store has no session entry, or another version of it than the attempt expected. */
  | { readonly type: "session"; readonly current: Entry<SessionValue> | undefined }
  /** A check of the owner's writes failed. */
  | { readonly type: "refused"; readonly current: Entry<unknown> | undefined };

/**
 * Whether a request may take a free lock: it passes the tickets of dead sessions, and no other. Resolves to
 * the tickets behind it, which stay in the queue; `undefined` if a living session waits ahead of it.
 */
export async function ticketsBehind(
  queue: NonNullable<LockView["queue"]>,
  token: string,
  isDead: (session: string) => Promise<boolean>,
): Promise<readonly Ticket[] | undefined> {
  const { waiting } = queue.value;
  const mine = waiting.findIndex((ticket) => ticket.token === token);
  const ahead = mine < 0 ? waiting : waiting.slice(0, mine);
  // Ask once for each session: a process with a thousand tickets may have died.
  const dead = new Set<string>();
  for (const { session } of ahead) {
    if (dead.has(session)) continue;
    if (!(await isDead(session))) return undefined;
    dead.add(session);
  }
  return mine < 0 ? [] : waiting.slice(mine + 1);
}

/** The ops of one attempt, for one commit with the writes of the lock's owner. */
export function attemptOps({ session, name, keys, view, value, waiting }: Attempt): AttemptOps {
  const { lock, queue } = keys;
  const ops: Op<LocksValue>[] = [
    { check: session.key, version: session.version },
    { check: lock, version: view.lock?.version ?? null },
    { put: lock, value },
    { check: queue, version: view.queue?.version ?? null },
  ];
  if (view.queue !== undefined) ops.push(...queueOps(name, view.queue.value.waiting, waiting));
  return { ops, session: session.key, lock, queue };
}

/** What it means that these checks of the commit of {@link attemptOps} failed. */
export function refusalOf(failed: readonly FailedCheck<unknown>[], keys: AttemptOps, view: LockView): Refusal {
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
