import type { Channel, ChannelOps } from "../../channel/channel.js";
import type { CallOptions, Key } from "../../channel/types.js";
import type { RunRef } from "../run-id.js";
import { type LogsValue, runOfKey } from "./chunk.js";

/** A value that sorts behind all numbers of chunks. */
const LAST = Number.MAX_VALUE;

/**
 * Deletes the logs of runs whose records are about to be deleted, but for what fits into the same commit:
 * that is returned, `room` ops at most.
 *
 * Logs go first. After a crash in between the record is still there, and the next prune goes on.
 */
export async function pruneLogs(
  logs: Channel<LogsValue>,
  runs: readonly RunRef[],
  room: number,
  options: CallOptions,
): Promise<ChannelOps<unknown>[]> {
  const most = logs.supports.maxOps;
  let keys: Key[] = [];
  for await (const key of keysOf(logs, runs, options)) {
    keys.push(key);
    if (keys.length < most) continue;
    await logs.commit(deletesOf(keys), options);
    keys = [];
  }
  if (keys.length === 0) return [];
  if (keys.length <= room) return [{ channel: logs, ops: deletesOf(keys) } as ChannelOps<unknown>];
  await logs.commit(deletesOf(keys), options);
  return [];
}

const deletesOf = (keys: readonly Key[]): { readonly delete: Key }[] => keys.map((key) => ({ delete: key }));

/** The keys of the logs of these runs. Reads the logs of each name once. */
async function* keysOf(
  logs: Channel<LogsValue>,
  runs: readonly RunRef[],
  options: CallOptions,
): AsyncGenerator<Key, void, undefined> {
  // Most stores have no logs, or few: do not ask for each name then.
  let isEmpty = true;
  for await (const _ of logs.keys({ limit: 1, ...options })) isEmpty = false;
  if (isEmpty) return;
  const byName = new Map<string, number[]>();
  for (const { name, startTime } of runs) byName.set(name, [...(byName.get(name) ?? []), startTime]);
  for (const [name, times] of byName) {
    const wanted = new Set(times);
    const range = { after: [name, Math.min(...times)], before: [name, Math.max(...times), LAST], ...options };
    for await (const { key } of logs.keys(range)) {
      const run = runOfKey(key);
      if (run !== undefined && wanted.has(run.startTime)) yield key;
    }
  }
}
