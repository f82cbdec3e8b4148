import type { Channel } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import { visible } from "../visible.js";
import type { LockView } from "./attempt.js";
import type { LocksValue, LockValue, QueueValue } from "./entries.js";
import { LockError } from "./errors.js";
import { assertOurs, readable } from "./foreign.js";
import type { HeldLock } from "./types.js";
import { lockPlace } from "./valid.js";

/**
 * The locks that are held now, in the order of their names.
 *
 * @throws ChannelError `CORRUPT` if one of them was not written by ojm: nobody can tell who has it
 */
export async function listHeld(channel: Channel<LocksValue>): Promise<HeldLock[]> {
  const held = new Map<string, HeldLock>();
  for await (const entry of readable(channel, { prefix: ["lock"] })) {
    const place = lockPlace(entry.key);
    if (place === undefined) continue;
    const { name, part } = place;
    if (part === "lock") {
      assertOurs(channel.name, name, { lock: entry as Entry<LockValue> });
      held.set(name, heldLock(entry as Entry<LockValue>, undefined));
      continue;
    }
    assertOurs(channel.name, name, { queue: entry as Entry<QueueValue> });
    const lock = held.get(name);
    if (lock !== undefined) held.set(name, { ...lock, waiting: (entry.value as QueueValue).waiting.length });
  }
  return [...held.values()];
}

/** A lock, for those who ask who holds it. */
export function heldLock(
  { value, version }: Pick<Entry<LockValue>, "value" | "version">,
  queue: QueueValue | undefined,
): HeldLock {
  const { name, holder, since, note } = value;
  const lock: HeldLock = { name, holder, since, fence: version, waiting: queue?.waiting.length ?? 0 };
  return note === undefined ? lock : { ...lock, note };
}

/** Why a lock was not had. */
export function lockedError(name: string, { lock, queue }: LockView): LockError {
  if (lock === undefined) return new LockError("LOCKED", name, "others wait for it and come first");
  const held = heldLock(lock, queue?.value);
  const { host, pid } = held.holder;
  const since = new Date(held.since).toISOString();
  return new LockError("LOCKED", name, `held by ${visible(host)}, pid ${pid}, since ${since}`, held);
}
