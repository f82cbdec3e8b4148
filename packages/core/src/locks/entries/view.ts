import { unlessCorrupt } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import type { Entry, Version } from "../../channel/types.js";
import { type LocksValue, type LockValue, lockKey, type QueueValue, queueKey } from "./schema.js";
import { lockPlace } from "./valid.js";

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

/**
 * Reads the lock and its queue, unless both are still as in `view`. Then it reads only their versions: the
 * queue of a thousand waiters is long.
 */
export async function readIfNewer(channel: Channel<LocksValue>, name: string, view: LockView): Promise<LockView> {
  const versions: Partial<Record<"lock" | "queue", Version>> = {};
  for await (const { key, version } of channel.keys({ prefix: lockKey(name), limit: 2 })) {
    const place = lockPlace(key);
    if (place !== undefined) versions[place.part] = version;
  }
  const isSame = versions.lock === view.lock?.version && versions.queue === view.queue?.version;
  return isSame ? view : readView(channel, name);
}

/** Reads both entries in one call. `undefined` if somebody else keeps entries beside them. */
async function readBoth(channel: Channel<LocksValue>, name: string): Promise<LockView | undefined> {
  let view: LockView = FREE;
  for await (const entry of channel.entries({ prefix: lockKey(name), limit: 2 })) {
    const place = lockPlace(entry.key);
    if (place === undefined) return undefined;
    view = { ...view, [place.part]: entry };
  }
  return view;
}

/** Reads the entries one by one: with entries of others beside them, a scan could go on for long. */
async function readEach(channel: Channel<LocksValue>, name: string): Promise<LockView> {
  const [lock, queue] = await Promise.all([channel.entry(lockKey(name)), channel.entry(queueKey(name))]);
  return { lock: lock as LockView["lock"], queue: queue as LockView["queue"] };
}
