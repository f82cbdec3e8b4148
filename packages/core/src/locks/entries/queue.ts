import type { Channel } from "../../channel/channel.js";
import type { Op } from "../../channel/types.js";
import { callKey, type LocksValue, queueKey, type Ticket } from "./schema.js";
import { isQueue } from "./valid.js";
import type { LockView } from "./view.js";

/**
 * The first sessions of a queue are near: so many. Their waiters look often whether a process ahead died. Any
 * of them may have to act soon, and all of them would have to die at once to leave the lock to the others.
 */
export const NEAR = 4;

/**
 * The ops that write the queue of a lock after a change. Commit them with a check of the queue's version.
 *
 * If the change makes another ticket the first, the same commit sends a turn notice to its session. It also
 * tells the sessions that are now near: their waiters look rarely until then. No other waiter needs to be
 * woken by any change.
 */
export function queueOps(name: string, before: readonly Ticket[], after: readonly Ticket[]): Op<LocksValue>[] {
  const key = queueKey(name);
  const [first] = after;
  if (first === undefined) return before.length > 0 ? [{ delete: key }] : [];
  const ops: Op<LocksValue>[] = [{ put: key, value: { waiting: after } }];
  // The first ticket of an empty queue needs no notice: its waiter knows.
  const changed = before.length > 0 && before[0]?.token !== first.token;
  if (changed) ops.push({ put: callKey(first.session), value: { name, ...first } });
  const wereNear = new Set(nearTickets(before).map(({ token }) => token));
  for (const ticket of nearTickets(after)) {
    if (wereNear.has(ticket.token) || ticket.session === first.session) continue;
    // A ticket that has just entered needs no notice either.
    const waited = before.some(({ token }) => token === ticket.token);
    if (waited) ops.push({ put: callKey(ticket.session), value: { name, ...ticket, near: true } });
  }
  return ops;
}

/** The first ticket of each of the sessions that are near. */
function nearTickets(waiting: readonly Ticket[]): Ticket[] {
  const near = new Map<string, Ticket>();
  for (const ticket of waiting) {
    if (near.size >= NEAR) break;
    if (!near.has(ticket.session)) near.set(ticket.session, ticket);
  }
  return [...near.values()];
}

/**
 * Removes a ticket from the queue of a lock.
 *
 * With `session`, removes the ticket only if it names that session. A waiter whose session ended waits on
 * with the same token in a new session. It must not lose its place because another waiter found the old
 * session dead.
 */
export async function leaveQueue(
  channel: Channel<LocksValue>,
  name: string,
  { token, session }: Pick<Ticket, "token"> & Partial<Ticket>,
): Promise<void> {
  const stays = (ticket: Ticket): boolean =>
    ticket.token !== token || (session !== undefined && ticket.session !== session);
  await keepInQueue(channel, name, stays);
}

/** Removes several tickets from the queue of a lock, in one commit. */
export async function leaveQueueTogether(
  channel: Channel<LocksValue>,
  name: string,
  tokens: ReadonlySet<string>,
): Promise<void> {
  await keepInQueue(channel, name, ({ token }) => !tokens.has(token));
}

async function keepInQueue(
  channel: Channel<LocksValue>,
  name: string,
  stays: (ticket: Ticket) => boolean,
): Promise<void> {
  let queue = (await channel.entry(queueKey(name))) as LockView["queue"];
  while (queue !== undefined) {
    if (!isQueue(queue.value)) return;
    const { waiting } = queue.value;
    const remaining = waiting.filter(stays);
    if (remaining.length === waiting.length) return;
    const result = await channel.commit([
      { check: queueKey(name), version: queue.version },
      ...queueOps(name, waiting, remaining),
    ]);
    if (result.ok) return;
    queue = result.failed[0]?.current as LockView["queue"];
  }
}
