import type { Ticket } from "../entries/schema.js";
import type { LockView } from "../entries/view.js";

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
