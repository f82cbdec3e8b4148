import { readable } from "../channel/calls/corrupt.js";
import type { Channel } from "../channel/channel.js";
import type { Key, Version } from "../channel/types.js";
import {
  isAudit,
  isCall,
  isLock,
  isQueue,
  isSession,
  isStopRequests,
  lockPlace,
  sessionPlace,
} from "../locks/entries/valid.js";
import { Breaks } from "../util/breaks.js";
import { isRecord, isRecordKey } from "./records/read.js";
import { isPending } from "./retry/pending.js";

/** An entry that has a key of ours, and a value that nobody can use: readers leave it out. */
export interface DamagedEntry {
  /** The name of its channel. */
  readonly channel: string;
  readonly key: Key;
  readonly version: Version;
  /** The lock that it keeps held although nobody knows its holder. */
  readonly lock?: string;
}

/** An entry as it was read. Its value is `undefined` if it cannot be decoded. */
interface Read {
  readonly key: Key;
  readonly value: unknown;
}

/** Whether an entry of the channel of the locks is damaged. Other packages keep entries there, too. */
export function isDamagedLocksEntry({ key, value }: Read): boolean {
  const [kind, name, ...more] = (Array.isArray(key) ? key : []) as readonly unknown[];
  const lock = lockPlace(key);
  if (lock !== undefined) return lock.part === "lock" ? !isLock(value, lock.name) : !isQueue(value);
  const session = sessionPlace(key);
  if (session !== undefined) {
    if (more[0] === "call") return !isCall(value);
    return more[0] === "stop" ? !isStopRequests(value) : !isSession(value, session);
  }
  if (typeof name !== "string") return false;
  if (kind === "audit") return more.length === 2 && !isAudit(value);
  return kind === "retry" && more.length === 1 && !isPending({ key, value });
}

/**
 * Whether an entry of the channel of the records is damaged. Scripts keep what they like there, by other
 * keys.
 */
export const isDamagedRecord = ({ key, value }: Read): boolean => isRecordKey(key) && !isRecord({ key, value });

/** The damaged ones among the first `most` entries of a channel. */
export async function* damagedIn(
  channel: Channel<unknown>,
  isDamaged: (entry: Read) => boolean,
  { prefix, most }: { readonly prefix?: Key; readonly most: number },
): AsyncGenerator<DamagedEntry, void, undefined> {
  const breaks = new Breaks();
  for await (const { key, value, version } of readable(channel, {
    ...(prefix !== undefined && { prefix }),
    limit: most,
  })) {
    await breaks.take();
    if (!isDamaged({ key, value })) continue;
    const place = lockPlace(key);
    const lock = place?.part === "lock" ? { lock: place.name } : {};
    yield { channel: channel.name, key, version, ...lock };
  }
}
