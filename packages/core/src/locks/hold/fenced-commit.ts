import { failedCheck } from "../../channel/calls/failed-check.js";
import type { Channel } from "../../channel/channel.js";
import { ChannelError } from "../../channel/errors.js";
import type { CallOptions, CommitResult, Op } from "../../channel/types.js";
import { type LocksValue, lockKey } from "../entries/schema.js";

/** A lock and the fence under which a run has it. */
interface Fenced {
  readonly name: string;
  readonly fence: string;
}

/**
 * Applies `ops` to a channel, only if the store still has the lock under this fence. The check and the writes
 * are one commit: a late write of a former holder is refused, and resolves to "lock lost".
 *
 * @throws ChannelError `NOT_SUPPORTED` if the channel is in another store
 */
export async function commitFenced<V>(
  locks: Channel<LocksValue>,
  { name, fence }: Fenced,
  channel: Channel<V>,
  ops: readonly Op<V>[],
  options: CallOptions,
): Promise<CommitResult<V> | "lock lost"> {
  if (!locks.joins(channel as Channel<unknown>)) throw otherStore(channel.name, name, fence);
  const check = { check: lockKey(name), version: fence };
  const result = await locks.commitWith<[V]>([check], [{ channel, ops }], options);
  if (result.ok) return result;
  return failedCheck(result.failed, check.check) === undefined ? (result as CommitResult<V>) : "lock lost";
}

function otherStore(channel: string, name: string, fence: string): ChannelError {
  const text = `the channel "${channel}" is in another store than the lock "${name}", so one commit cannot check the lock and write to the channel. Pass the fence (${fence}) with each write, and let the receiver refuse a lower fence than it has seen`;
  return new ChannelError("NOT_SUPPORTED", text);
}
