import type { Op, RunRecord } from "@ojm/core";
import { delayAfter } from "@ojm/core/internal";
import type { CheckedQueue } from "../options.js";
import {
  type DeadItem,
  deadKey,
  inBatchKey,
  itemOf,
  type Place,
  placeOps,
  type QueuesValue,
  runsWith,
  type StoredItem,
  type TakenItem,
  takenKey,
  uniqueKey,
} from "./entries.js";

/** The longest text of an error that an item has: it must leave room for the data. */
const LONGEST_ERROR = 1_000;

/** How an attempt ended. */
export type AttemptEnd =
  | { readonly type: "done" }
  /** It does not count. `delay`: until when no other begins, in ms. */
  | { readonly type: "given back"; readonly delay?: number }
  /** `retry`: `false` if no other attempt follows, or the time to it in ms. Default: by the queue. */
  | { readonly type: "failed"; readonly error: string; readonly retry?: false | number };

/** The end of an attempt by the record of its run. */
export function endOf({ status, error = status, endedBy }: RunRecord): AttemptEnd {
  if (endedBy?.giveBack === true) return { type: "given back" };
  if (status === "completed" || status === "skipped") return { type: "done" };
  // The operator does not want it: no worker tries again by itself.
  return status === "cancelled" ? { type: "failed", error, retry: false } : { type: "failed", error };
}

/** An item that is taken, and the queue that it is in. */
export interface Taken {
  readonly queue: string;
  readonly id: string;
  readonly options: CheckedQueue;
  readonly value: TakenItem;
}

/** The ops that move a taken item to where it is after its attempt. */
export function endOps({ queue, id, options, value }: Taken, end: AttemptEnd, now: number): Op<QueuesValue>[] {
  const place: Place = { rank: value.rank, turn: value.turn, id };
  const gone: Op<QueuesValue> = { delete: takenKey(queue, id) };
  if (value.next !== undefined) {
    const next = { ...itemOf(value.next), runs: runsWith(value, value.run) };
    return [gone, ...placeOps(queue, place, next, later(now, value.next.at))];
  }
  if (end.type === "done") return [gone, ...freeOps(queue, id, value)];
  const item = itemOf(value);
  if (end.type === "given back") return [gone, ...placeOps(queue, place, item, later(now, now + (end.delay ?? 0)))];
  const { attempt, attempts = options.attempts } = item;
  const failed = { ...item, runs: runsWith(item, value.run), error: end.error.slice(0, LONGEST_ERROR) };
  if (end.retry === false || attempt >= attempts) return [gone, ...deadOps(queue, place, failed, now, options.keep)];
  const { delay, backoff, maxDelay } = options;
  const wait = end.retry ?? delayAfter({ attempts, delay, backoff, maxDelay, onLost: true }, attempt);
  return [gone, ...placeOps(queue, place, { ...failed, attempt: attempt + 1 }, later(now, now + wait))];
}

/** A time in whole ms; `undefined` if it has come. */
export const later = (now: number, at: number = now): number | undefined => (at > now ? Math.ceil(at) : undefined);

function deadOps(queue: string, { id, rank, turn }: Place, item: StoredItem, now: number, keep: number) {
  const value: DeadItem = { ...item, rank, turn, died: now };
  return [{ put: deadKey(queue, id), value, ttl: keep }, ...freeOps(queue, id, item)] satisfies Op<QueuesValue>[];
}

/** Ops that free the key of an item that ends, and take it from its batch. `waits`: no worker has it. */
export function freeOps(
  queue: string,
  id: string,
  { unique, batch, attempt }: StoredItem,
  waits = false,
): Op<QueuesValue>[] {
  const hasKey = unique?.until === "done" || (unique?.until === "taken" && waits && attempt === 1);
  return [
    ...(unique && hasKey ? [{ delete: uniqueKey(queue, unique.key) }] : []),
    ...(batch === undefined ? [] : [{ delete: inBatchKey(queue, batch, id) }]),
  ];
}
