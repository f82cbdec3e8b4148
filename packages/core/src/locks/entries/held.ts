import { readable } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import type { Entry } from "../../channel/types.js";
import { visible } from "../../util/visible.js";
import { LockError } from "../errors.js";
import type { HeldLock } from "../types.js";
import type { Hold, Holder, LocksValue, LockValue, QueueValue } from "./schema.js";
import { holdOf, isLock, isQueue, lockPlace } from "./valid.js";
import type { LockView } from "./view.js";

/**
 * All held locks, ordered by name. A damaged entry costs its own row: a lock without a known holder is left
 * out, and a queue that cannot be read counts as empty. Such a lock stays held: nobody can acquire it.
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
    if (lock !== undefined && isQueue(entry.value)) held.set(name, { ...lock, waiting: entry.value.waiting.length });
  }
  return [...held.values()];
}

/** The public form of a lock entry. */
export function heldLock(
  { value, version }: Pick<Entry<LockValue>, "value" | "version">,
  queue: QueueValue | undefined,
): HeldLock {
  const { name, holder, since, note } = value;
  const lock: HeldLock = { name, holder, since, fence: version, waiting: queue?.waiting.length ?? 0 };
  return note === undefined ? lock : { ...lock, note };
}

/** Who asked for something: the person if one is known, else the process. */
export function asker({ by, author }: { readonly by: Holder; readonly author?: string }): string {
  return author === undefined ? whom(by) : visible(author);
}

/** The process that holds something, in words. */
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
