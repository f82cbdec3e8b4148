import type { Channel } from "../../channel/channel.js";
import { readable, unlessCorrupt } from "../../channel/corrupt.js";
import { ChannelError } from "../../channel/errors.js";
import type { Entry, Key, Op, Version } from "../../channel/types.js";
import { isTime } from "../../util/shape.js";
import { visible } from "../../util/text.js";
import { LockError } from "../errors.js";
import type { HeldLock, Waiter } from "../types.js";
import {
  type Hold,
  type Holder,
  type LocksValue,
  type LockValue,
  lockKey,
  type QueueValue,
  queueKey,
  type SessionValue,
  sessionKey,
  type Ticket,
  turnNoticeKey,
} from "./schema.js";
import { holdOf, isLock, isQueue, isSession, lockPlace, ticketsOf } from "./valid.js";

/** The two entries under the name of a lock: the lock and its queue. */
export interface LockView {
  readonly lock: Pick<Entry<LockValue>, "value" | "version"> | undefined;
  readonly queue: Pick<Entry<QueueValue>, "value" | "version"> | undefined;
}

export const FREE: LockView = { lock: undefined, queue: undefined };

/** Reads the lock and its queue in one call, as of one moment. */
export async function readView(channel: Channel<LocksValue>, name: string): Promise<LockView> {
  return (await unlessCorrupt(readBoth(channel, name))) ?? readEach(channel, name);
}

/** Reads the lock and its queue; only the versions if they are as in `view`: a queue can be long. */
export async function readIfNewer(channel: Channel<LocksValue>, name: string, view: LockView): Promise<LockView> {
  const versions: Partial<Record<"lock" | "queue", Version>> = {};
  for await (const { key, version } of channel.keys({ prefix: lockKey(name), limit: 2 })) {
    const place = lockPlace(key);
    if (place !== undefined) versions[place.part] = version;
  }
  const isSame = versions.lock === view.lock?.version && versions.queue === view.queue?.version;
  return isSame ? view : readView(channel, name);
}

/** Reads both entries in one call. `undefined` if there are entries of another program beside them. */
async function readBoth(channel: Channel<LocksValue>, name: string): Promise<LockView | undefined> {
  let view: LockView = FREE;
  for await (const entry of channel.entries({ prefix: lockKey(name), limit: 2 })) {
    const place = lockPlace(entry.key);
    if (place === undefined) return undefined;
    view = { ...view, [place.part]: entry };
  }
  return view;
}

/** Reads the entries one by one: with foreign entries beside them, a scan could take long. */
async function readEach(channel: Channel<LocksValue>, name: string): Promise<LockView> {
  const [lock, queue] = await Promise.all([channel.entry(lockKey(name)), channel.entry(queueKey(name))]);
  return { lock: lock as LockView["lock"], queue: queue as LockView["queue"] };
}

/**
 * This many sessions at the front of a queue are near. Their waiters check often whether a process ahead
 * died. Any of them may soon have to take the lock. The waiters behind them would have to act only if all
 * near sessions died at once.
 */
export const NEAR = 4;

/**
 * A queue after a change: with these tickets, some of which `before` has already, in the same order. Items
 * that are not tickets, and unknown fields, stay as they were. `undefined` if no tickets remain.
 */
export function queueWith(before: QueueValue | undefined, tickets: readonly Ticket[]): QueueValue | undefined {
  if (tickets.length === 0) return undefined;
  if (before === undefined) return { waiting: tickets };
  const known = ticketsOf(before);
  if (known.length === before.waiting.length) return { ...before, waiting: tickets };
  const were: ReadonlySet<unknown> = new Set(known);
  const stay: ReadonlySet<unknown> = new Set(tickets);
  const remaining = before.waiting.filter((item) => stay.has(item) || !were.has(item));
  return { ...before, waiting: [...remaining, ...tickets.filter((ticket) => !were.has(ticket))] };
}

/**
 * The ops that write the queue of a lock after a change. Commit them with a check of the queue's version.
 * `to`: from {@link queueWith}.
 *
 * If the change makes another ticket the first, the same commit sends a turn notice to its session. It also
 * notifies the sessions that are now near: until then their waiters check rarely. A change never needs to
 * wake any other waiter.
 */
export function queueOps(name: string, from: QueueValue | undefined, to: QueueValue | undefined): Op<LocksValue>[] {
  const key = queueKey(name);
  const before = ticketsOf(from);
  const after = ticketsOf(to);
  const [first] = after;
  if (to === undefined || first === undefined) return from === undefined ? [] : [{ delete: key }];
  const ops: Op<LocksValue>[] = [{ put: key, value: to }];
  // The first ticket of an empty queue needs no notice: its waiter knows.
  const changed = before.length > 0 && before[0]?.token !== first.token;
  if (changed) ops.push({ put: turnNoticeKey(first.session), value: { name, ...first } });
  const wereNear = new Set(nearTickets(before).map(({ token }) => token));
  for (const ticket of nearTickets(after)) {
    if (wereNear.has(ticket.token) || ticket.session === first.session) continue;
    // A ticket that has just entered needs no notice either.
    const waited = before.some(({ token }) => token === ticket.token);
    if (waited) ops.push({ put: turnNoticeKey(ticket.session), value: { name, ...ticket, near: true } });
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
 * With `session`, removes the ticket only if it names that session. A waiter whose session ended keeps
 * waiting with the same token in a new session. It must not lose its place because another waiter found the
 * old session dead.
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
    const { value } = queue;
    const tickets = ticketsOf(value);
    const remaining = tickets.filter(stays);
    if (remaining.length === tickets.length) return;
    const result = await channel.commit([
      { check: queueKey(name), version: queue.version },
      ...queueOps(name, value, queueWith(value, remaining)),
    ]);
    if (result.ok) return;
    queue = result.failed[0]?.current as LockView["queue"];
  }
}

/**
 * All held locks, ordered by name. A damaged entry affects only its own lock: a lock without a known holder
 * is left out, and a queue that cannot be read counts as empty. Such a lock stays held: no process can
 * acquire it.
 */
export async function listHeld(channel: Channel<LocksValue>): Promise<HeldLock[]> {
  const held = new Map<string, HeldLock>();
  for await (const entry of readable(channel, { prefix: ["lock"] })) {
    const place = lockPlace(entry.key);
    if (place === undefined) continue;
    const { name, part } = place;
    if (part === "lock") {
      if (isLock(entry.value, name)) held.set(name, heldLock(entry as Entry<LockValue>, undefined));
      continue;
    }
    const lock = held.get(name);
    if (lock !== undefined) held.set(name, { ...lock, waiting: ticketsOf(entry.value).length });
  }
  return [...held.values()];
}

/** The public form of a lock entry. */
export function heldLock(
  { value, version }: Pick<Entry<LockValue>, "value" | "version">,
  queue: QueueValue | undefined,
): HeldLock {
  const { name, holder, since, note } = value;
  const lock: HeldLock = { name, holder, since, fence: version, waiting: ticketsOf(queue).length };
  return note === undefined ? lock : { ...lock, note };
}

/** The author of an action: the person if known, else the process. */
export function asker({ by, author }: { readonly by: Holder; readonly author?: string }): string {
  return author === undefined ? whom(by) : visible(author);
}

/** A process in words. */
export function whom({ host, pid }: Pick<Holder, "host" | "pid">): string {
  return `${visible(host)}, pid ${pid}`;
}

/** A hold in words: by whom, until when, and why. */
export function holdText({ author, until, reason }: Hold): string {
  const by = author === undefined ? "" : ` by ${visible(author)}`;
  return `held for maintenance${by} until ${new Date(until).toISOString()}: ${visible(reason)}`;
}

/** The error for a lock that a call did not get. */
export function lockedError(name: string, { lock, queue }: LockView): LockError {
  if (lock === undefined) return new LockError("LOCKED", name, "other waiters are ahead in its queue");
  const held = heldLock(lock, queue?.value);
  const since = new Date(held.since).toISOString();
  const hold = holdOf(held);
  if (hold !== undefined) return new LockError("LOCKED", name, holdText(hold), { held });
  return new LockError("LOCKED", name, `held by ${whom(held.holder)}, since ${since}`, { held });
}

/** Reads the waiters of a lock, in order of arrival. Leaves out waiters whose session is over. */
export async function readWaiters(channel: Channel<LocksValue>, name: string, limit: number): Promise<Waiter[]> {
  const queue = (await channel.entry(queueKey(name))) as LockView["queue"];
  assertNotCorrupt(channel.name, name, { queue });
  const tickets = ticketsOf(queue?.value).slice(0, limit);
  // A process with a hundred waiters has one session.
  const ids = [...new Set(tickets.map(({ session }) => session))];
  const read = ids.map(async (id) => [id, await channel.get(sessionKey(id))] as const);
  const sessions = new Map(await Promise.all(read));
  return tickets.flatMap((ticket) => {
    const session = sessions.get(ticket.session);
    return isSession(session, ticket.session) ? [waiterOf(ticket, session.process)] : [];
  });
}

/** The public form of a ticket. */
export function waiterOf(
  { session, since }: Ticket,
  { host, pid }: Pick<SessionValue["process"], "host" | "pid">,
): Waiter {
  return { host, pid, instance: session, ...(isTime(since) && { since }) };
}

/** The waiters of a lock, in words; `most` of them by name. `count`: how many wait in all. */
export function waitersText(waiters: readonly Waiter[], count: number, most: number): string {
  const named = waiters.slice(0, most);
  const more = Math.max(count, waiters.length) - named.length;
  const texts = named.map(({ since, ...process }) => {
    return since === undefined ? whom(process) : `${whom(process)}, since ${new Date(since).toISOString()}`;
  });
  return [...texts, ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

/** @throws ChannelError `CORRUPT` if ojm did not write the lock or its queue */
export function assertNotCorrupt(channel: string, name: string, { lock, queue }: Partial<LockView>): void {
  const corrupt =
    lock !== undefined && !isLock(lock.value, name)
      ? lockKey(name)
      : queue !== undefined && !isQueue(queue.value)
        ? queueKey(name)
        : undefined;
  if (corrupt === undefined) return;
  throw corruptError(
    channel,
    corrupt,
    "the holder of the lock is unknown. Once you know that no process holds it, remove the entry: ojm doctor prints how",
  );
}

/** The error for an entry that ojm did not write: its consequence, and the remedy. */
function corruptError(channel: string, key: Key, advice: string): ChannelError {
  const text = `the entry ${visible(JSON.stringify(key))} of the channel "${channel}" was not written by ojm, so ${advice}`;
  return new ChannelError("CORRUPT", text);
}
