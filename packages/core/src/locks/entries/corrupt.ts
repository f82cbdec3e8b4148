import { ChannelError } from "../../channel/errors.js";
import type { Key } from "../../channel/types.js";
import { visible } from "../../util/visible.js";
import { lockKey, queueKey } from "./schema.js";
import { isLock, isQueue } from "./valid.js";
import type { LockView } from "./view.js";

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

/** The error for an entry that ojm did not write: what follows from it, and what to do. */
export function corruptError(channel: string, key: Key, advice: string): ChannelError {
  const text = `the entry ${visible(JSON.stringify(key))} of the channel "${channel}" was not written by ojm, so ${advice}`;
  return new ChannelError("CORRUPT", text);
}
