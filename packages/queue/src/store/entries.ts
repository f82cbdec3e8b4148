import type { Holder, Key, Op } from "@ojm/core";
import {
  type DamageCheck,
  fieldsOf,
  isCount,
  isHolder,
  isMap,
  isOptional,
  isStorable,
  isText,
  isTime,
  permitsProblem,
  present,
  rateProblem,
} from "@ojm/core/internal";
import type { CheckedQueue, ItemOptions } from "../options.js";
import type { QueuePause } from "../types.js";

/*
 * The entries of queues in their channel, in the store of the locks:
 *   ["def", Q]                       the options of the queue, and its pause
 *   ["w", Q, RANK, TURN, ID]         an item that waits. Items are taken in the order of these keys
 *   ["due", Q, AT, RANK, TURN, ID]   an item that waits for its time
 *   ["t", Q, ID]                     an item that a worker has. The commit that takes the lock of its run
 *                                    writes it, and the commit that releases the lock deletes it
 *   ["dead", Q, ID]                  a dead letter, with a time to live
 *   ["uniq", Q, KEY]                 which item has a unique key
 *   ["g", Q, GROUP, RANK]            the last turn of a group, with a time to live
 *   ["round", Q, RANK]               the lowest turn of the next items of groups
 *   ["m", Q, MEMBER]                 a living worker, with a time to live. An idle one follows the items once
 *                                    another removes its mark
 *   ["batch", Q, BATCH]              a batch that has not ended, and its callback
 *   ["in", Q, BATCH, ID]             an item of it that has not ended: the commit that ends it deletes this
 *   ["batched", Q, BATCH]            a batch that has ended, with a time to live
 * The lock of an item is `queue/Q/ID`. So each item is in one of `w`, `due`, `t` and `dead`, in each of which
 * it has all its data: a commit that moves it checks the version of the entry that it deletes.
 */

/** The channel of the queues. */
export const CHANNEL = "oJobManager-queues";

/** How long the last turn of a group is remembered, in ms. */
export const GROUP_TTL = 86_400_000;

/** The most ids of runs that an item has. */
const MOST_RUNS = 10;

/** The place of an item: the lowest rank first, then the lowest turn, then the lowest id. */
export interface Place {
  /** The negative priority. */
  readonly rank: number;
  /** The µs since 1970 at which the item was added; for an item of a group, the number of its round. */
  readonly turn: number;
  readonly id: string;
}

/** What the store has of an item in every state. */
export interface StoredItem extends ItemOptions {
  readonly data: unknown;
  /** The number of its attempt: of the next one while it waits. */
  readonly attempt: number;
  readonly added: number;
  readonly batch?: string;
  /** The ids of its last runs. */
  readonly runs?: readonly string[];
  readonly error?: string;
}

/** An item that a worker has. */
export interface TakenItem extends StoredItem, Omit<Place, "id"> {
  readonly by: Holder;
  readonly member: string;
  /** The id of its run. */
  readonly run: string;
  /** Newer data for its unique key: what the item is after its attempt. */
  readonly next?: NextItem;
}

/** What an item becomes after its attempt. */
export interface NextItem extends StoredItem {
  readonly at?: number;
}

/** A dead letter. `died`: in ms since 1970. */
export interface DeadItem extends StoredItem, Omit<Place, "id"> {
  readonly died: number;
}

/** A queue. */
export interface QueueValue {
  readonly options: CheckedQueue;
  readonly pause?: QueuePause;
}

/** Which item has a unique key. `at`: it was added with this time. */
export interface UniqueValue extends Place {
  readonly at?: number;
}

/** The last turn of a group, or the lowest one of the next items of groups. */
export interface GroupValue {
  readonly turn: number;
}

/** A batch. */
export interface BatchValue {
  /** The number of its items in the store, ended or not. */
  readonly added: number;
  /** Whether further items are added to it. */
  readonly isOpen: boolean;
  readonly callback: { readonly queue: string; readonly data: unknown };
}

export interface MemberValue {
  readonly by: Holder;
  /** How many items it can handle at once, without the slots of `hung`. */
  readonly concurrency: number;
  /** How many handlers ignore their signals, and keep their slots. */
  readonly hung?: number;
  /** It takes nothing, and does not follow the items. */
  readonly idle?: true;
}

export type QueuesValue =
  | StoredItem
  | TakenItem
  | DeadItem
  | QueueValue
  | UniqueValue
  | GroupValue
  | MemberValue
  | BatchValue
  | Pick<BatchValue, "added">
  | null;

export const definitionKey = (queue: string): Key => ["def", queue];
export const waitingKey = (queue: string, { rank, turn, id }: Place): Key => ["w", queue, rank, turn, id];
export const dueKey = (queue: string, at: number, { rank, turn, id }: Place): Key => ["due", queue, at, rank, turn, id];
/** The key of an item that waits, or that is delayed until `at`. */
export const placedKey = (queue: string, place: Place, at: number | undefined): Key =>
  at === undefined ? waitingKey(queue, place) : dueKey(queue, at, place);
export const takenKey = (queue: string, id: string): Key => ["t", queue, id];
export const deadKey = (queue: string, id: string): Key => ["dead", queue, id];
export const uniqueKey = (queue: string, key: string): Key => ["uniq", queue, key];
export const roundKey = (queue: string, rank: number): Key => ["round", queue, rank];
export const groupKey = (queue: string, group: string, rank: number): Key => ["g", queue, group, rank];
export const batchKey = (queue: string, batch: string): Key => ["batch", queue, batch];
export const inBatchKey = (queue: string, batch: string, ...id: string[]): Key => ["in", queue, batch, ...id];
export const batchDoneKey = (queue: string, batch: string): Key => ["batched", queue, batch];
export const memberKey = (queue: string, member: string): Key => ["m", queue, member];

/** The name of the lock of an item. */
export const lockOf = (queue: string, id: string): string => `queue/${queue}/${id}`;

/** The key of that lock in the channel of the locks. */
export const lockKeyOf = (queue: string, id: string): Key => ["lock", lockOf(queue, id)];

/** What an attempt takes. One permit limits how many items of a group are processed at once. */
export function takesOf(
  queue: string,
  { permits, rate, perGroup }: CheckedQueue,
  group: string | undefined,
): Pick<CheckedQueue, "permits" | "rate"> {
  const ofGroup = perGroup !== undefined && group !== undefined && { [`queue/${queue}/group/${group}`]: perGroup };
  return { ...((permits || ofGroup) && { permits: { ...permits, ...ofGroup } }), ...(rate && { rate }) };
}

/** The place in the last three parts of a key; `undefined` if they are not one. */
export function placeOf(key: Key): Place | undefined {
  const [rank, turn, id] = (key as readonly unknown[]).slice(-3);
  return Number.isSafeInteger(rank) && isCount(turn) && isText(id) ? { rank: rank as number, turn, id } : undefined;
}

/** Which of two places comes first: below 0 for `a`. */
export function comparePlaces(a: Place, b: Place): number {
  return a.rank - b.rank || a.turn - b.turn || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Whether a value is an item, in any state. Any program can write to a store. */
export function isItem(value: unknown): value is StoredItem {
  const item = fieldsOf<StoredItem>(value);
  if (item === undefined) return false;
  const { attempt, added, attempts, group, unique, expires, meta, batch, runs, error } = item;
  return (
    isCount(attempt) &&
    isTime(added) &&
    isOptional(attempts, isCount) &&
    isOptional(group, isText) &&
    isOptional(unique, (one) => isText(fieldsOf<{ key: string }>(one)?.key)) &&
    isOptional(expires, isTime) &&
    isOptional(meta, isMap) &&
    isOptional(batch, isText) &&
    isOptional(runs, (all) => Array.isArray(all) && all.every(isText)) &&
    isOptional(error, isText) &&
    // The commit that takes the item writes it: otherwise one item would keep a worker from all others.
    isStorable(value)
  );
}

const hasPlace = (item: { rank?: unknown; turn?: unknown }): boolean =>
  Number.isSafeInteger(item.rank) && isCount(item.turn);

export function isTaken(value: unknown): value is TakenItem {
  const { by, member, run, next, ...item } = fieldsOf<TakenItem>(value) ?? {};
  const isNext = (one: unknown): boolean => isItem(one) && isOptional(fieldsOf<NextItem>(one)?.at, isTime);
  return isItem(value) && hasPlace(item) && isHolder(by) && isText(member) && isText(run) && isOptional(next, isNext);
}

export function isDead(value: unknown): value is DeadItem {
  const dead = fieldsOf<DeadItem>(value);
  return isItem(value) && dead !== undefined && hasPlace(dead) && isTime(dead.died);
}

export function isMember(value: unknown): value is MemberValue {
  const { by, concurrency, hung, idle } = fieldsOf<MemberValue>(value) ?? {};
  const isMark = (one: unknown): boolean => one === true;
  return isHolder(by) && isCount(concurrency) && isOptional(hung, isCount) && isOptional(idle, isMark);
}

export function isUnique(value: unknown): value is UniqueValue {
  const { id, at, ...place } = fieldsOf<UniqueValue>(value) ?? {};
  return hasPlace(place) && isText(id) && isOptional(at, isTime);
}

/** The options of a queue that are numbers. An earlier version may not have them all. */
const COUNTS = ["attempts", "delay", "maxDelay", "timeout", "keep", "perGroup"] as const;

export function isQueue(value: unknown): value is QueueValue {
  const { options, pause } = fieldsOf<QueueValue>(value) ?? {};
  if (!isMap(options) || !isOptional(pause, isMap)) return false;
  const { permits, rate, record, ...numbers } = fieldsOf<CheckedQueue>(options) ?? {};
  return (
    COUNTS.every((name) => isOptional(numbers[name], isCount)) &&
    // A later version may have further values: such a queue keeps all records.
    isOptional(record, isText) &&
    isOptional(permits, (all) => permitsProblem(all) === undefined) &&
    isOptional(rate, (one) => rateProblem(one) === undefined)
  );
}

export function isBatch(value: unknown): value is BatchValue {
  const { added, isOpen, callback } = fieldsOf<BatchValue>(value) ?? {};
  return isCount(added) && typeof isOpen === "boolean" && isText(fieldsOf<BatchValue["callback"]>(callback)?.queue);
}

export const isGroup = (value: unknown): value is GroupValue => isCount(fieldsOf<GroupValue>(value)?.turn);

const CHECKS: { readonly [kind: string]: (value: unknown) => boolean } = {
  def: isQueue,
  w: isItem,
  due: isItem,
  t: isTaken,
  dead: isDead,
  uniq: isUnique,
  g: isGroup,
  round: isGroup,
  m: isMember,
  batch: isBatch,
};

/** Finds the damaged entries of the queues. No worker takes a damaged item. */
export const queueDamage: DamageCheck = {
  channel: CHANNEL,
  isDamaged: ({ key, value }) => {
    const check = CHECKS[String((key as readonly unknown[])[0])];
    return check !== undefined && !check(value);
  },
};

/** The item without what belongs to one of its states. */
export function itemOf(value: StoredItem): StoredItem {
  const { data, attempt, added, attempts, group, unique, expires, meta, batch, runs, error } = value;
  return { data, attempt, added, ...present({ attempts, group, unique, expires, meta, batch, runs, error }) };
}

/** The op that writes which item has a unique key, and where the item is. */
export function uniqueOp(
  queue: string,
  { key, until }: NonNullable<StoredItem["unique"]>,
  place: Place,
  at: number | undefined,
): Op<QueuesValue> {
  const value: UniqueValue = { ...place, ...(at !== undefined && { at }) };
  return { put: uniqueKey(queue, key), value, ...(typeof until === "number" && { ttl: until }) };
}

/** Puts an item to those that wait, or with `at` to those whose time has not come. */
export function placeOps(queue: string, place: Place, item: StoredItem, at?: number): Op<QueuesValue>[] {
  const put = { put: placedKey(queue, place, at), value: item };
  return item.unique?.until === "done" ? [put, uniqueOp(queue, item.unique, place, at)] : [put];
}

/** The ids of the last runs of an item, with this one. */
export function runsWith({ runs = [] }: Pick<StoredItem, "runs">, run: string): string[] {
  return [...runs, run].slice(-MOST_RUNS);
}
