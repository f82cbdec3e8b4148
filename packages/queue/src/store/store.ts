import { hostname } from "node:os";
import {
  type Channel,
  ChannelError,
  type ChannelOps,
  type Clock,
  type EntriesOptions,
  type Entry,
  type JobManager,
  type Key,
  type Op,
  type Version,
} from "@ojm/core";
import {
  encodeValue,
  fieldsOf,
  first,
  identityOf,
  isCount,
  isTime,
  knownValue,
  present,
  readable,
} from "@ojm/core/internal";
import { type CheckedAdd, type CheckedQueue, DEFAULTS } from "../options.js";
import type { Added } from "../types.js";
import { type AttemptEnd, endOps, type Taken } from "./end.js";
import {
  CHANNEL,
  definitionKey,
  dueKey,
  GROUP_TTL,
  type GroupValue,
  groupKey,
  isItem,
  isQueue,
  isTaken,
  isUnique,
  itemOf,
  lockKeyOf,
  type Place,
  placedKey,
  placeOf,
  type QueuesValue,
  type QueueValue,
  roundKey,
  type StoredItem,
  takenKey,
  type UniqueValue,
  uniqueKey,
  uniqueOp,
  waitingKey,
} from "./entries.js";

/** The most items that one round moves from those whose time has come. */
const MOVED_AT_ONCE = 100;

/** An id begins with the µs at which its item was added, in this many digits to the base 36. */
const TIME_DIGITS = 11;

/** How often a search for the item that has a unique key finds none, until it counts as damaged. */
const MOST_MISSED = 10;

/** How much room the entry of an item leaves for what its attempts add, in bytes. */
const ROOM = 8_192;

/** A queue and the version of its entry; `null` if no process has defined it. */
export interface Definition extends QueueValue {
  readonly version: Version | null;
}

/** The entries of the queues, and the commits that change them. */
export class QueueStore {
  readonly manager: JobManager;
  readonly channel: Channel<QueuesValue>;
  readonly clock: Clock;
  /** This process among the workers. */
  readonly instance: string;
  readonly host: string = hostname();
  #last = 0;

  constructor(manager: JobManager, channel: Channel<QueuesValue>, clock: Clock, instance: string) {
    this.manager = manager;
    this.channel = channel;
    this.clock = clock;
    this.instance = instance;
  }

  async definition(queue: string): Promise<Definition> {
    return definitionOf(await first(readable(this.channel, { prefix: definitionKey(queue), limit: 1 })));
  }

  /** Changes the definition of a queue, unless `change` returns `undefined` for the stored one. */
  async redefine(
    queue: string,
    change: (stored: Definition) => QueueValue | undefined,
    others: readonly ChannelOps<unknown>[] = [],
  ): Promise<void> {
    const key = definitionKey(queue);
    for (;;) {
      const stored = await this.definition(queue);
      const value = change(stored);
      if (value === undefined) return;
      // Not when the store is opened: `ojm queue ls` must not write to it.
      await this.manager.raiseFormat();
      const ops: Op<QueuesValue>[] = [
        { check: key, version: stored.version },
        { put: key, value },
      ];
      if ((await this.channel.commitWith<unknown[]>(ops, others)).ok) return;
    }
  }

  /** A turn and an id that are higher than all earlier ones of this process. */
  #stamp(): Pick<Place, "turn" | "id"> {
    this.#last = Math.max(Math.floor(this.clock.now() * 1_000), this.#last + 1);
    // Sorts as the number does. The random part keeps apart those of several processes.
    return { turn: this.#last, id: `${this.#last.toString(36).padStart(TIME_DIGITS, "0")}${this.clock.random(6)}` };
  }

  async add(queue: string, data: unknown, options: CheckedAdd): Promise<Added> {
    for (let missed = 0; ; ) {
      const { ops, place, item } = await this.addOps(queue, data, options, true);
      const result = await this.channel.commit(ops);
      // A driver that repeats a call of unknown outcome finds its own item there.
      const isOurs = !result.ok && result.failed.some(({ key }) => placeOf(key)?.id === place.id);
      if (result.ok || isOurs) return { id: place.id, added: true };
      const { unique, replace } = options;
      const taken = unique && result.failed.find(({ key }) => isKeyOf(key, "uniq"))?.current;
      if (taken === undefined) continue;
      if (!isUnique(taken.value)) throw notOurs(uniqueKey(queue, unique?.key ?? ""), "no item has this key");
      const { id } = taken.value;
      const replaced = replace && (await this.#replace(queue, { ...taken, value: taken.value }, item, options.at));
      if (replaced === true) return { id, added: false, replaced };
      if (replaced === false || (replaced === "missing" && ++missed >= MOST_MISSED)) return { id, added: false };
    }
  }

  /**
   * The ops that add an item. Start-time fair queueing: the next item of a group comes in the round after its
   * last one, but in no round that is over. No clock counts: those of two processes differ. `isExact`: they
   * check that no other process adds to the group at this moment; without, the order within the group may be
   * that of two adds at once.
   */
  async addOps(
    queue: string,
    data: unknown,
    { rank, at, replace: _, ...options }: CheckedAdd,
    isExact: boolean,
    batch?: string,
  ): Promise<{ readonly ops: Op<QueuesValue>[]; readonly place: Place; readonly item: StoredItem }> {
    const { turn: now, id } = this.#stamp();
    const { group, unique } = options;
    const read = (key: Key) => first(readable(this.channel, { prefix: key, limit: 1 }));
    const [last, round] =
      group === undefined ? [] : await Promise.all([read(groupKey(queue, group, rank)), read(roundKey(queue, rank))]);
    const turn = group === undefined ? now : Math.max(turnOf(round) ?? now, (turnOf(last) ?? 0) + 1);
    const place = { rank, turn, id };
    const item = { data: data ?? null, attempt: 1, added: Math.floor(now / 1_000), ...options, ...present({ batch }) };
    const key = placedKey(queue, place, at);
    const ops: Op<QueuesValue>[] = [
      { check: key, version: null },
      { put: key, value: this.#stored(queue, item) },
    ];
    if (group !== undefined) {
      ops.push({ put: groupKey(queue, group, rank), value: { turn }, ttl: GROUP_TTL });
      if (isExact) {
        ops.push({ check: groupKey(queue, group, rank), version: last?.version ?? null });
        // The first item of a group of this queue. Two at once must agree on the round.
        if (turnOf(round) === undefined)
          ops.push(
            { check: roundKey(queue, rank), version: round?.version ?? null },
            { put: roundKey(queue, rank), value: { turn: now } },
          );
      }
    }
    if (unique !== undefined)
      ops.push({ check: uniqueKey(queue, unique.key), version: null }, uniqueOp(queue, unique, place, at));
    return { ops, place, item };
  }

  /**
   * Gives newer data to the item that has a unique key: to an active one for after its attempt. Resolves to
   * `false` if the key is for a time, and the item active. `missing`: it is not found. `undefined`: it has
   * changed meanwhile.
   */
  async #replace(
    queue: string,
    { value: { at: due, ...place }, version: owned }: { readonly value: UniqueValue; readonly version: Version },
    newer: StoredItem,
    at: number | undefined,
  ): Promise<boolean | "missing" | undefined> {
    const keys = [takenKey(queue, place.id), waitingKey(queue, place), dueKey(queue, due ?? 0, place)];
    const found = (await this.channel.entriesUnder(keys)).find((entry) => isItem(entry?.value));
    if (found === undefined || !isItem(found.value)) return "missing";
    const { key, version, value } = found;
    const { added, group, unique, runs } = value;
    if (unique === undefined) return "missing";
    // It keeps its place, which is that of its group.
    const { group: _, ...rest } = newer;
    const item = itemOf({ ...rest, added, unique, ...present({ group, runs }) });
    const ops: Op<QueuesValue>[] = [{ check: key, version }];
    if (isTaken(value)) {
      if (unique.until !== "done") return unique.until === "taken" ? undefined : false;
      const next = { ...item, ...present({ at: at ?? value.next?.at }) };
      ops.push({ put: key, value: this.#stored(queue, { ...value, next } as StoredItem) });
    } else if (at === undefined) {
      ops.push({ put: key, value: item });
    } else {
      const to = placedKey(queue, place, at);
      ops.push({ check: uniqueKey(queue, unique.key), version: owned }, uniqueOp(queue, unique, place, at));
      ops.push(...(isKeyOf(key, "due") && at === due ? [] : [{ delete: key }]), { put: to, value: item });
    }
    return (await this.channel.commit(ops)).ok ? true : undefined;
  }

  /** An item as the store gets it. The entry of a dead letter is larger than that of the item. */
  #stored(queue: string, item: StoredItem): StoredItem {
    const { maxValueBytes } = this.channel.supports;
    const text = encodeValue(item);
    const bytes = Buffer.byteLength(text);
    if (bytes <= maxValueBytes - ROOM) return knownValue(text);
    const why = `an item of the queue "${queue}" has ${bytes} bytes, and this store takes ${maxValueBytes - ROOM}: store its data elsewhere, and add a reference to it`;
    throw new ChannelError("TOO_LARGE", why);
  }

  /** Moves the items whose time has come to those that wait. Resolves to when the next one is due. */
  async moveDue(queue: string): Promise<number | undefined> {
    const prefix = ["due", queue];
    const before = [...prefix, Math.floor(this.clock.now()) + 1];
    const { items, isAll } = await itemsIn(this.channel, { prefix, before, limit: MOVED_AT_ONCE });
    const moves = items.map(({ key, version, item, ...place }): Op<QueuesValue>[] => [
      { check: key, version },
      { delete: key },
      { put: waitingKey(queue, place), value: item },
    ]);
    // Not before all are read: if that fails, no one would see the error of a commit.
    await Promise.all(moves.map((ops) => this.channel.commit(ops)));
    if (!isAll) return 0;
    // Damaged entries stay: those before are always due, and one without a number as its time comes last.
    for await (const { key } of this.channel.keys({ prefix, after: before, limit: 1 })) {
      const at = (key as readonly unknown[])[2];
      return typeof at === "number" ? at : undefined;
    }
    return undefined;
  }

  /**
   * Ends the attempt of an item whose worker did not: it died, or its lock was removed. Resolves to whether
   * the item is with no worker any more: not while its lock is still held.
   */
  async endLost(taken: Taken, version: Version, end: AttemptEnd): Promise<boolean> {
    const { queue, id } = taken;
    const ops = [{ check: takenKey(queue, id), version }, ...endOps(taken, end, this.clock.now())];
    const lock = { check: lockKeyOf(queue, id), version: null };
    const locks = this.manager.channels.locks as Channel<unknown>;
    const result = await this.channel.commitWith<unknown[]>(ops, [{ channel: locks, ops: [lock] }]);
    return result.ok || result.failed.every(({ channel }) => channel === CHANNEL);
  }
}

/** An item that waits, or that is due. */
export interface Waiting extends Place {
  readonly key: Key;
  readonly version: Version;
  readonly item: StoredItem;
}

/** Up to `limit` items of a range, and whether these are all. Damaged entries hide none behind them. */
export async function itemsIn(
  channel: Channel<QueuesValue>,
  range: EntriesOptions & { readonly limit: number },
): Promise<{ readonly items: Waiting[]; readonly isAll: boolean }> {
  const items: Waiting[] = [];
  let { after } = range;
  let read: number;
  do {
    read = 0;
    for await (const { key, value, version } of readable(channel, { ...range, ...(after && { after }) })) {
      read++;
      after = key;
      const place = placeOf(key);
      if (place !== undefined && isItem(value)) items.push({ ...place, key, version, item: value });
    }
  } while (read === range.limit && items.length === 0);
  return { items, isAll: read < range.limit };
}

/** An entry that ojm did not write may have any meaning: no item is added under its key. */
export function notOurs(key: Key, known: string): ChannelError {
  const text = `the entry ${JSON.stringify(key)} of the channel "${CHANNEL}" was not written by ojm. Once you know that ${known}, remove the entry: ojm doctor prints how`;
  return new ChannelError("CORRUPT", text, { outcome: "not-applied" });
}

const turnOf = (entry: { readonly value: unknown } | undefined): number | undefined => {
  const { turn } = fieldsOf<GroupValue>(entry?.value) ?? {};
  return isCount(turn) ? turn : undefined;
};

/** When the item with this id was added, in ms since 1970; `undefined` if this is not the id of an item. */
export function timeOf(id: string): number | undefined {
  const time = Math.floor(Number.parseInt(id.slice(0, TIME_DIGITS), 36) / 1_000);
  return isTime(time) ? time : undefined;
}

/** Whether this host has no process with this id. */
export const isGoneHere = (pid: number): boolean => identityOf(pid).started === "gone";

const isKeyOf = (key: Key, kind: string): boolean => (key as readonly unknown[])[0] === kind;

/** The definition in an entry. Unknown options of a later version are left alone. */
export function definitionOf(entry: Pick<Entry<unknown>, "value" | "version"> | undefined): Definition {
  if (entry === undefined) return { options: DEFAULTS, version: null };
  const { value, version } = entry;
  if (!isQueue(value)) return { options: DEFAULTS, version };
  const options: CheckedQueue = { ...DEFAULTS, ...value.options };
  return { options, ...(value.pause !== undefined && { pause: value.pause }), version };
}

/**
 * Opens the entries of the queues in the store of a manager.
 *
 * @throws ChannelError `NOT_SUPPORTED` if one commit cannot write locks and queues; as `manager.channel`
 */
export async function openQueueStore(manager: JobManager, clock: Clock, instance: string): Promise<QueueStore> {
  const channel = await manager.channel<QueuesValue>(CHANNEL);
  if (!manager.channels.locks.joins(channel as never)) {
    const text =
      "this store has each channel on a node of its own: queues need them on one. In a Redis Cluster, give a keyPrefix with a hash tag";
    throw new ChannelError("NOT_SUPPORTED", text);
  }
  return new QueueStore(manager, channel, clock, instance);
}
