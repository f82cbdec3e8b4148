import type { Channel } from "../channel/channel.js";
import type { Entry, Op, Version } from "../channel/types.js";
import {
  type LocksValue,
  type LockValue,
  lockKey,
  type QueueValue,
  queueKey,
  type SessionValue,
  sessionKey,
  type Ticket,
} from "./entries.js";
import { unlessForeign } from "./foreign.js";
import { queueOps } from "./queue.js";
import type { Session } from "./session.js";
import { lockPlace } from "./valid.js";

/** What stands in the store under a lock's name: who holds it and who waits for it. */
export interface LockView {
  readonly lock: Pick<Entry<LockValue>, "value" | "version"> | undefined;
  readonly queue: Pick<Entry<QueueValue>, "value" | "version"> | undefined;
}

export const FREE: LockView = { lock: undefined, queue: undefined };

/** Reads what stands under a lock's name, in one call and as of one moment. */
export async function readView(channel: Channel<LocksValue>, name: string): Promise<LockView> {
  return (await unlessForeign(readBoth(channel, name))) ?? readEach(channel, name);
}

/** Both in one call; `undefined` where others keep entries beside them. */
async function readBoth(channel: Channel<LocksValue>, name: string): Promise<LockView | undefined> {
  let view: LockView = FREE;
  for await (const entry of channel.entries({ prefix: lockKey(name), limit: 2 })) {
    const place = lockPlace(entry.key);
    if (place === undefined) return undefined;
    view = { ...view, [place.part]: entry };
  }
  return view;
}

/** Where others keep entries beside the two, a scan of both could go on for long. */
async function readEach(channel: Channel<LocksValue>, name: string): Promise<LockView> {
  const [lock, queue] = await Promise.all([channel.entry(lockKey(name)), channel.entry(queueKey(name))]);
  return { lock: lock as LockView["lock"], queue: queue as LockView["queue"] };
}

/** One attempt to take a lock, in one step: it succeeds only if the session lives and the name still looks like `view`. */
export interface Attempt {
  readonly session: Session;
  readonly view: LockView;
  readonly value: LockValue;
  /** Those that still wait once the lock is taken. */
  readonly waiting: readonly Ticket[];
  /** Ops among the locks to apply in the same step. */
  readonly beside: readonly Op<LocksValue>[];
  /** The channel and the ops to apply in the same step. */
  readonly also: { readonly channel: Channel<unknown>; readonly ops: readonly Op<unknown>[] } | undefined;
}

/** What became of an attempt. */
export type AttemptOutcome =
  | { readonly type: "taken"; readonly fence: Version }
  /** Somebody holds the lock, or waits for it. */
  | { readonly type: "blocked"; readonly view: LockView }
  /** The session is at another version than we thought, or gone. */
  | { readonly type: "session"; readonly current: Entry<SessionValue> | undefined }
  /** A check of the ops beside it, or of those in the other channel, failed. */
  | { readonly type: "refused"; readonly current: Entry<unknown> | undefined };

const SESSION = 0;
const LOCK = 1;
const QUEUE = 2;

/** Makes one attempt. */
export async function attempt(channel: Channel<LocksValue>, it: Attempt): Promise<AttemptOutcome> {
  const { session, view, value, waiting, beside, also } = it;
  const key = lockKey(value.name);
  const queue = queueKey(value.name);
  const ops: Op<LocksValue>[] = [
    { check: sessionKey(session.id), version: session.version },
    { check: key, version: view.lock?.version ?? null },
    { check: queue, version: view.queue?.version ?? null },
    { put: key, value },
    ...beside,
  ];
  ops.push(...queueOps(value.name, view.queue?.value.waiting ?? [], waiting));
  const result =
    also === undefined ? await channel.commit(ops) : await channel.commitWith<unknown>(ops, also.channel, also.ops);
  if (result.ok) return { type: "taken", fence: result.version };
  const failed = new Map<number, Entry<unknown> | undefined>();
  for (const { index, current } of result.failed) failed.set(index, current);
  if (failed.has(SESSION)) return { type: "session", current: failed.get(SESSION) as Entry<SessionValue> | undefined };
  if (!failed.has(LOCK) && !failed.has(QUEUE)) return { type: "refused", current: result.failed[0]?.current };
  return {
    type: "blocked",
    view: {
      lock: failed.has(LOCK) ? (failed.get(LOCK) as Entry<LockValue> | undefined) : view.lock,
      queue: failed.has(QUEUE) ? (failed.get(QUEUE) as Entry<QueueValue> | undefined) : view.queue,
    },
  };
}
