import type { Channel } from "../channel/channel.js";
import type { Op } from "../channel/types.js";
import type { LockView } from "./attempt.js";
import { callKey, type LocksValue, queueKey, type Ticket } from "./entries.js";
import { isQueue } from "./valid.js";

/**
 * Writes the queue of a lock as it is after a change, which must be made under a check of its version. Whoever comes to be the first of it is called
 * in the same step: nobody else who waits need be woken by any change.
 */
export function queueOps(name: string, before: readonly Ticket[], after: readonly Ticket[]): Op<LocksValue>[] {
  const key = queueKey(name);
  const [first] = after;
  if (first === undefined) return before.length > 0 ? [{ delete: key }] : [];
  const ops: Op<LocksValue>[] = [{ put: key, value: { waiting: after } }];
  // Who enters an empty queue knows.
  if (before.length > 0 && before[0]?.token !== first.token) {
    ops.push({ put: callKey(first.session), value: { name, ...first } });
  }
  return ops;
}

/**
 * Removes a ticket from the queue of a lock. With `session`, only one of that: who waits on in a new session, after the one of its ticket was over, has
 * the same token, and must not lose its place to somebody who found the old one dead.
 */
export async function leaveQueue(
  channel: Channel<LocksValue>,
  name: string,
  { token, session }: Pick<Ticket, "token"> & Partial<Ticket>,
): Promise<void> {
  let queue = (await channel.entry(queueKey(name))) as LockView["queue"];
  while (queue !== undefined) {
    if (!isQueue(queue.value)) return;
    const { waiting } = queue.value;
    const others = waiting.filter((it) => it.token !== token || (session !== undefined && it.session !== session));
    if (others.length === waiting.length) return;
    const result = await channel.commit([
      { check: queueKey(name), version: queue.version },
      ...queueOps(name, waiting, others),
    ]);
    if (result.ok) return;
    queue = result.failed[0]?.current as LockView["queue"];
  }
}
