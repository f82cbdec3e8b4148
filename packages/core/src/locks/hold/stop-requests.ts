import { failedCheck } from "../../channel/calls/failed-check.js";
import type { Channel } from "../../channel/channel.js";
import type { CommitResult, Entry, Key, Op, Version } from "../../channel/types.js";
import { type LocksValue, type StopRequest, type StopRequestsValue, stopKey } from "../entries/schema.js";
import { isStopRequests } from "../entries/valid.js";

/**
 * The life of a request in the store, in ms. A holder that hangs for longer is not stopped by it later, when
 * nobody expects that any more.
 */
const LIFE = 60_000;

/** Adds a request for a session, together with other ops if the store takes both at the first attempt. */
export async function commitWithRequest(
  channel: Channel<LocksValue>,
  session: string,
  request: StopRequest,
  ops: readonly Op<LocksValue>[],
): Promise<CommitResult<LocksValue>> {
  const key = stopKey(session);
  const entry = await channel.entry(key);
  // The request first: the holder hears of it before it hears that its lock is gone.
  return channel.commit([...requestOps(key, entry, request), ...ops]);
}

/** Adds a request for a session, in the same commit as other ops. These must have no checks. */
export async function addRequest(
  channel: Channel<LocksValue>,
  session: string,
  request: StopRequest,
  ops: readonly Op<LocksValue>[] = [],
): Promise<void> {
  while (!(await commitWithRequest(channel, session, request, ops)).ok);
}

function requestOps(
  key: Key,
  entry: Pick<Entry<unknown>, "value" | "version"> | undefined,
  request: StopRequest,
): Op<LocksValue>[] {
  const before = isStopRequests(entry?.value) ? entry.value.requests : [];
  return [
    { check: key, version: entry?.version ?? null },
    { put: key, value: { requests: [...before, request] }, ttl: LIFE },
  ];
}

/**
 * Removes requests that were carried out from the entry of a session. Others may have been added meanwhile:
 * they stay.
 */
export async function removeRequests(
  channel: Channel<LocksValue>,
  session: string,
  done: readonly StopRequest[],
): Promise<void> {
  const key = stopKey(session);
  const isDone = ({ fence, at }: StopRequest): boolean => done.some((it) => it.fence === fence && it.at === at);
  let entry: Pick<Entry<unknown>, "value" | "version"> | undefined = await channel.entry(key);
  while (isStopRequests(entry?.value)) {
    const { version, value } = entry as { version: Version; value: StopRequestsValue };
    const requests = value.requests.filter((request) => !isDone(request));
    const check: Op<LocksValue> = { check: key, version };
    const write: Op<LocksValue> =
      requests.length === 0 ? { delete: key } : { put: key, value: { requests }, ttl: LIFE };
    const result = await channel.commit([check, write]);
    if (result.ok) return;
    entry = failedCheck(result.failed, key)?.current;
  }
}
