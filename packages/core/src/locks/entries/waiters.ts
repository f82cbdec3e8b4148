import type { Channel } from "../../channel/channel.js";
import type { Waiter } from "../types.js";
import { assertNotCorrupt } from "./corrupt.js";
import { whom } from "./held.js";
import { type LocksValue, queueKey, type SessionValue, sessionKey, type Ticket } from "./schema.js";
import { isSession } from "./valid.js";
import type { LockView } from "./view.js";

/** Reads who waits for a lock, in order of arrival. A waiter whose session is over waits no longer. */
export async function readWaiters(channel: Channel<LocksValue>, name: string, limit: number): Promise<Waiter[]> {
  const queue = (await channel.entry(queueKey(name))) as LockView["queue"];
  assertNotCorrupt(channel.name, name, { queue });
  const tickets = queue?.value.waiting.slice(0, limit) ?? [];
  // A process that waits a hundred times has one session.
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
  return { host, pid, instance: session, ...(since !== undefined && { since }) };
}

/** Who waits for a lock, in words; `most` of them by name. `count`: how many wait in all. */
export function waitersText(waiters: readonly Waiter[], count: number, most: number): string {
  const named = waiters.slice(0, most);
  const more = Math.max(count, waiters.length) - named.length;
  const texts = named.map(({ since, ...process }) => {
    return since === undefined ? whom(process) : `${whom(process)}, since ${new Date(since).toISOString()}`;
  });
  return [...texts, ...(more > 0 ? [`${more} more`] : [])].join("; ");
}
