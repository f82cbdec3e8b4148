import { isCorrupt } from "../../channel/calls/corrupt.js";
import { failedCheck } from "../../channel/calls/failed-check.js";
import type { Channel, ChannelOps } from "../../channel/channel.js";
import { isChannelError } from "../../channel/errors.js";
import type { CommitResult, Entry, Key, Op } from "../../channel/types.js";

/** The most bytes of the values of one commit: etcd takes 1.5 MB. */
const MOST_BYTES = 512 * 1_024;

/** An entry to be written where there is none. */
export interface NewEntry {
  readonly key: Key;
  readonly value: unknown;
  readonly bytes: number;
  readonly ttl?: number | undefined;
}

/** What became of an entry. `current`: the store has another one under its key. */
export type Put<E> =
  | { readonly entry: E; readonly outcome: "written" | "too large" | "corrupt"; readonly current?: undefined }
  | { readonly entry: E; readonly outcome: "taken"; readonly current: Entry<unknown> | undefined };

/**
 * Writes entries under keys that have none, many in one commit. `more`: what the commit that writes an entry
 * writes too, of at most `opsOfMore` ops.
 */
export async function putAbsent<E extends NewEntry>(
  channel: Channel<unknown>,
  entries: readonly E[],
  more: (entry: E) => readonly ChannelOps<unknown>[] = () => [],
  opsOfMore = 0,
): Promise<Put<E>[]> {
  const most = Math.max(1, Math.floor(channel.supports.maxOps / (2 + opsOfMore)));
  const done: Put<E>[] = [];
  for (let from = 0; from < entries.length; ) {
    let bytes = 0;
    let to = from;
    while (to < entries.length && to - from < most && (to === from || bytes + (entries[to]?.bytes ?? 0) <= MOST_BYTES))
      bytes += entries[to++]?.bytes ?? 0;
    done.push(...(await putBatch(channel, entries.slice(from, to), more)));
    from = to;
  }
  return done;
}

async function putBatch<E extends NewEntry>(
  channel: Channel<unknown>,
  entries: readonly E[],
  more: (entry: E) => readonly ChannelOps<unknown>[],
): Promise<Put<E>[]> {
  const done: Put<E>[] = [];
  let left = entries;
  while (left.length > 0) {
    let result: CommitResult<unknown>;
    try {
      result = await channel.commitWith<unknown[]>(left.flatMap(opsOf), left.flatMap(more));
    } catch (error) {
      const outcome = refusalOf(error);
      if (outcome === undefined) throw error;
      const [entry] = left;
      if (left.length === 1 && entry !== undefined) return [...done, { entry, outcome }];
      // One of them is at fault: halve until it stands alone.
      const middle = left.length >> 1;
      done.push(...(await putBatch(channel, left.slice(0, middle), more)));
      return [...done, ...(await putBatch(channel, left.slice(middle), more))];
    }
    if (result.ok) return [...done, ...left.map((entry) => ({ entry, outcome: "written" as const }))];
    const { failed } = result;
    const free: E[] = [];
    for (const entry of left) {
      const check = failedCheck(failed, entry.key);
      if (check === undefined) free.push(entry);
      else done.push({ entry, outcome: "taken", current: check.current });
    }
    left = free;
  }
  return done;
}

function opsOf({ key, value, ttl }: NewEntry): Op<unknown>[] {
  return [
    { check: key, version: null },
    { put: key, value, ...(ttl !== undefined && { ttl }) },
  ];
}

function refusalOf(error: unknown): "too large" | "corrupt" | undefined {
  if (isCorrupt(error)) return "corrupt";
  return isChannelError(error) && error.code === "TOO_LARGE" ? "too large" : undefined;
}
