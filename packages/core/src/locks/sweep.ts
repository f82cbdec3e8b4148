import type { Channel } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import { isLock, isQueue, type LocksValue, type LockValue, type QueueValue } from "./entries.js";
import { readable, unlessForeign } from "./foreign.js";
import type { Liveness } from "./liveness.js";

/** Removes what dead processes left: their locks, after `onOrphan`, and the sessions of dead processes of this host. */
export async function sweep(
  channel: Channel<LocksValue>,
  liveness: Liveness,
  onOrphan: (lock: Entry<LockValue>) => Promise<void>,
): Promise<void> {
  for await (const entry of readable(channel, { prefix: ["lock"] })) {
    if ((entry.key as readonly string[]).length === 2) {
      const lock = entry as Entry<LockValue>;
      // What somebody else wrote there is not ours to remove, and must not keep us from the rest.
      if (!isLock(lock.value) || !(await liveness.isDead(lock.value.holder.instance))) continue;
      await onOrphan(lock);
    } else if (!(await isDeserted(entry as Entry<QueueValue>, liveness))) {
      continue;
    }
    await unlessForeign(removeEntry(channel, entry));
  }
  for await (const entry of channel.keys({ prefix: ["session"] })) {
    const [, session = ""] = entry.key as readonly string[];
    if (await liveness.isDead(session)) await unlessForeign(removeEntry(channel, entry));
  }
}

/** Whether only dead sessions wait. Where others do too, whoever takes the lock leaves the dead out. */
async function isDeserted({ value }: Pick<Entry<QueueValue>, "value">, liveness: Liveness): Promise<boolean> {
  if (!isQueue(value)) return false;
  for (const { session } of value.waiting) if (!(await liveness.isDead(session))) return false;
  return true;
}

/** Deletes an entry, unless it changed. */
export async function removeEntry(
  channel: Channel<LocksValue>,
  { key, version }: Omit<Entry<LocksValue>, "value">,
): Promise<void> {
  await channel.commit([{ check: key, version }, { delete: key }]);
}
