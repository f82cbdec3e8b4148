import { hostname } from "node:os";
import type { ChannelOps, Clock, Entry, JobManager, JsonValue, Key, Maintenance, Op } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import {
  first,
  inBatches,
  isMap,
  maintenanceOf,
  present,
  readable,
  sameJson,
  unlessCorrupt,
  valueText,
} from "@ojm/core/internal";
import { QueueError } from "./errors.js";
import {
  checkAdd,
  checkBatch,
  checkDuration,
  checkName,
  checkNames,
  checkQueueOptions,
  checkState,
  checkWhole,
  MOST_AT_ONCE,
  refuse,
  validated,
} from "./options.js";
import { addBatch, endBatch, endBatches } from "./store/batch.js";
import { freeOps } from "./store/end.js";
import {
  type DeadItem,
  deadKey,
  isDead,
  isItem,
  isMember,
  isTaken,
  itemOf,
  type Place,
  placeOf,
  placeOps,
  type QueuesValue,
  type StoredItem,
  takenKey,
  takesOf,
  uniqueKey,
} from "./store/entries.js";
import { type Definition, definitionOf, isGoneHere, openQueueStore, type QueueStore, timeOf } from "./store/store.js";
import type {
  Added,
  AddOptions,
  BatchOptions,
  Handler,
  Item,
  ItemInfo,
  ItemState,
  ItemsOptions,
  PauseOptions,
  PurgeOptions,
  QueueCounts,
  QueueOptions,
  QueuePause,
  QueueReason,
  QueueSummary,
  RedriveOptions,
  StandardSchema,
  TriggerOptions,
  Why,
  Worker,
  WorkerCloseOptions,
  WorkOptions,
} from "./types.js";
import { reasonsOf } from "./why.js";
import { pauseAt } from "./worker/claim.js";
import { QueueWorker } from "./worker/worker.js";

/** Options of {@link openQueues}. */
export interface QueuesOptions {
  /** The source of time and of random numbers; simulations replace it. Default: the clock of the machine. */
  readonly clock?: Clock;
  /** The name of this process among the workers of the store. Default: a random one. */
  readonly instance?: string;
}

/**
 * Opens the queues in the store of a manager's locks. Close them before the manager.
 *
 * @throws QueueError `INVALID`
 * @example
 * await using manager = await openJobManager("sqlite:./data/ojm.db");
 * await using queues = openQueues(manager);
 * await queues.define("mail", { attempts: 5, timeout: "1m" });
 * await queues.add("mail", { to: "ana@example.org" });
 * await queues.work("mail", async ({ id, data, signal }) => send(data, { id, signal }), { concurrency: 20 });
 */
export function openQueues(manager: JobManager, options: QueuesOptions = {}): Queues {
  if (typeof manager?.auditOps !== "function")
    refuse("", `openQueues takes a job manager, not ${valueText(manager)}: openQueues(await openJobManager(…))`);
  return new Queues(manager, options);
}

/** How many items {@link Queues.counts} counts in each state, if its caller gives no other number. */
const COUNTED = 10_000;

/** The most items that it counts. */
const MOST_COUNTED = 1_000_000_000;

/** The longest reason, or name of a person, in characters. */
const LONGEST_TEXT = 1_000;

const STATES: readonly ItemState[] = ["active", "waiting", "delayed", "dead"];
const KINDS: { readonly [state in ItemState]: string } = { active: "t", waiting: "w", delayed: "due", dead: "dead" };

/** How many commits of a change of many items are under way at once. */
const AT_ONCE = 100;

/** Which items are meant. Default: all. */
type Which = Pick<RedriveOptions, "limit" | "where">;

/** An item, where it is in the store. */
interface Found {
  readonly key: Key;
  readonly version: string;
  readonly info: ItemInfo;
  readonly value: StoredItem;
  readonly place: Place;
}

/**
 * Queues of work. Each item is handled by one worker of all processes that share the store, at least once:
 * each attempt is a run of the name of the queue, with a record, a log, progress and a fence. What a handler
 * writes by `item.complete` is applied exactly once.
 */
export class Queues {
  readonly #manager: JobManager;
  readonly #clock: Clock;
  readonly #instance: string;
  readonly #schemas: Map<string, StandardSchema> = new Map();
  /** The queues that are known to be defined. */
  readonly #known: Set<string> = new Set();
  readonly #workers: Set<QueueWorker> = new Set();
  #store: Promise<QueueStore> | undefined;
  #members = 0;
  #isClosed = false;

  /** @internal Use {@link openQueues}. */
  constructor(manager: JobManager, { clock = systemClock, instance }: QueuesOptions) {
    this.#manager = manager;
    this.#clock = clock;
    this.#instance = instance ?? clock.random(12);
  }

  /**
   * Sets the options of a queue, for all processes: the definition that was written last counts. The schema
   * is for the items that this process adds. A queue without a definition has the defaults.
   *
   * @throws QueueError `INVALID`; ChannelError if the store fails
   */
  async define(queue: string, options: QueueOptions = {}): Promise<void> {
    const checked = checkQueueOptions(queue, options);
    const store = await this.#open(queue);
    if (options.schema === undefined) this.#schemas.delete(queue);
    else this.#schemas.set(queue, options.schema);
    await store.redefine(queue, ({ options: stored, pause, version }) => {
      if (version !== null && sameJson(stored, checked)) return undefined;
      return { options: checked, ...(pause && { pause }) };
    });
    this.#known.add(queue);
  }

  /**
   * Adds an item. Once this resolves, the item is in the store, and survives every process.
   *
   * @throws QueueError `INVALID`; ChannelError `TOO_LARGE` if the store cannot hold the data, or if it fails.
   * After an error with the outcome `unknown` the item may be there: use `unique` to add it again
   */
  async add(queue: string, data: unknown, options: AddOptions = {}): Promise<Added> {
    const checked = checkAdd(queue, options, this.#clock.now());
    const store = await this.#defined(queue);
    return store.add(queue, await validated(queue, this.#schemas.get(queue), data), checked);
  }

  /**
   * Has the newest data handled: at most one item of a `key` waits, and while one is active, one more
   * follows it. So after the last trigger an attempt begins with data at least as new, and the attempts of a
   * key never overlap. The same as {@link Queues.add} with `unique: { key, replace: true }`.
   *
   * The workers of the queue handle it, in any process: the trigger survives the one that made it. `after`:
   * waits for further triggers, each of which begins the wait again. Default of `key`: the name of the queue.
   *
   * @throws as {@link Queues.add}
   * @example
   * await queues.work("index", ({ data }) => index(data));
   * watcher.on("change", (file) => queues.trigger("index", { file }, { after: "2s" }));
   */
  async trigger(queue: string, data: unknown = null, options: TriggerOptions = {}): Promise<Added> {
    checkNames(queue, "a trigger", options, ["after", "key"]);
    const { after, key = queue } = options;
    if (after !== undefined) checkDuration(queue, "after", after);
    return this.add(queue, data, { unique: { key, replace: true }, ...present({ delay: after }) });
  }

  /**
   * Adds many items in few commits, and the item `callback` once all of them have ended: done, dead, expired
   * or discarded. The `meta` of the callback has the id of the batch, as has {@link ItemInfo.batch} of each
   * item. A dead letter that is retried later counts as ended.
   *
   * A batch is added once: if the call fails, or its process dies, call it again with the same id and data,
   * in any process, and it adds the rest. That holds until the batch ended as long ago as dead letters are
   * stored. A batch that has all its items gets no others. Without items, it has ended at once. Resolves to
   * the number of items that this call added. `id`: 1 to 200 characters.
   *
   * @throws as {@link Queues.add}, after a part of the items may be added; `INVALID` if the batch has another
   * number of items
   * @example
   * const callback = { queue: "reports", data: { month: "2026-11" } };
   * await queues.batch("invoices", "2026-11", customers, { callback });
   */
  async batch(queue: string, id: string, data: readonly unknown[], options: BatchOptions): Promise<number> {
    const checked = checkBatch(queue, id, data, options, this.#clock.now());
    const { callback } = options;
    await this.#defined(callback.queue);
    const store = await this.#defined(queue);
    const valid: unknown[] = [];
    for (const one of data) valid.push(await validated(queue, this.#schemas.get(queue), one));
    const then = {
      queue: callback.queue,
      data: (await validated(callback.queue, this.#schemas.get(callback.queue), callback.data)) ?? null,
    };
    const count = await addBatch(store, { queue, id, data: valid, options: checked, callback: then });
    await endBatch(store, queue, id);
    return count;
  }

  /**
   * The ops that add an item in another commit: the item is there if, and only if, the rest of that commit
   * is. On PostgreSQL, that can be a transaction of the program. With `unique`, the commit fails if another
   * item has the key.
   *
   * @example
   * const more = await queues.ops("mail", { order: 4711 });
   * await orders.commitWith([{ put: 4711, value: order }], more);
   * @throws as {@link Queues.add}
   */
  async ops(queue: string, data: unknown, options: AddOptions = {}): Promise<ChannelOps<unknown>[]> {
    const checked = checkAdd(queue, options, this.#clock.now());
    const store = await this.#defined(queue);
    const valid = await validated(queue, this.#schemas.get(queue), data);
    const { ops } = await store.addOps(queue, valid, checked, false);
    return [{ channel: store.channel, ops } as ChannelOps<unknown>];
  }

  /**
   * Handles the items of a queue in this process, until the worker is closed. Resolves once it takes items.
   *
   * @throws QueueError `INVALID`; ChannelError if the store fails
   * @example
   * const worker = await queues.work<Mail>("mail", ({ data }) => send(data), { concurrency: 20 });
   * process.once("SIGTERM", () => worker.close({ grace: "20s" }));
   */
  async work<D = JsonValue>(
    queue: string,
    handler: (item: Item<D>) => unknown,
    options: WorkOptions = {},
  ): Promise<Worker> {
    checkNames(queue, "a worker", options, ["concurrency"]);
    const concurrency = checkWhole(queue, "concurrency", options.concurrency ?? 1, MOST_AT_ONCE);
    if (typeof handler !== "function") refuse(queue, `a worker of the queue "${queue}" needs a function`);
    const store = await this.#defined(queue);
    const member = `${this.#instance}-${this.#members++}`;
    const onClose = (closed: QueueWorker): void => void this.#workers.delete(closed);
    const worker = new QueueWorker(store, queue, handler as Handler, { member, concurrency, onClose });
    this.#workers.add(worker);
    await worker.begin();
    return worker;
  }

  /** The queues of the store, in the order of their names. */
  async *list(): AsyncGenerator<QueueSummary, void, undefined> {
    const { channel, manager } = await this.#open("");
    const maintenance = await manager.maintenance();
    for await (const { key, value, version } of readable(channel, { prefix: ["def"] })) {
      const { options, ...definition } = definitionOf({ value, version });
      const { keep, ...rest } = options;
      const name = String((key as readonly unknown[])[1]);
      const paused = this.#pauseOf(name, definition, maintenance);
      yield { name, options: { ...rest, dead: { keep } }, ...present({ paused }) };
    }
  }

  /**
   * Counts the items of a queue, up to `most` in each state. Reads that many keys. Default: 10,000.
   *
   * @throws QueueError `INVALID`; ChannelError if the store fails
   */
  async counts(queue: string, { most = COUNTED }: { readonly most?: number } = {}): Promise<QueueCounts> {
    checkWhole(checkName(queue), "most", most, MOST_COUNTED);
    const { channel, host } = await this.#open(queue);
    let eldest: string | undefined;
    const count = async (state: ItemState): Promise<number> => {
      let items = 0;
      for await (const { key } of channel.keys({ prefix: [KINDS[state], queue], limit: most + 1 })) {
        items++;
        const id = state === "waiting" ? placeOf(key)?.id : undefined;
        if (id !== undefined && (eldest === undefined || id < eldest)) eldest = id;
      }
      return items;
    };
    const counted = await Promise.all(STATES.map(count));
    const [active = 0, waiting = 0, delayed = 0, dead = 0] = counted.map((items) => Math.min(items, most));
    let [workers, slots, hung] = [0, 0, 0];
    for await (const { value } of readable(channel, { prefix: ["m", queue] })) {
      // Of other hosts, only the time to live of its entry shows that a worker is dead.
      if (!isMember(value) || (value.by.host === host && isGoneHere(value.by.pid))) continue;
      workers++;
      slots += value.concurrency;
      hung += value.hung ?? 0;
    }
    return {
      ...{ waiting, delayed, active, dead },
      ...(counted.some((items) => items > most) && { more: true }),
      ...present({ oldest: eldest === undefined ? undefined : timeOf(eldest) }),
      ...{ workers, slots },
      ...(hung > 0 && { hung }),
    };
  }

  /**
   * How the items of a queue stand, the most important reason first. `item`: why this one waits; empty if it
   * does not. `counts`: those of the queue, if they are known already.
   *
   * @throws QueueError `INVALID`; ChannelError if the store fails
   */
  async why(
    queue: string,
    options: { readonly item?: ItemInfo; readonly counts?: QueueCounts } = {},
  ): Promise<QueueReason[]> {
    const { item, counts } = options;
    // For an id, or an item that is gone, the reasons would be none, or those of the queue.
    if ("item" in options && !isMap(item))
      refuse(queue, `queue "${queue}": item must be one of queues.items or queues.item, not ${valueText(item)}`);
    const store = await this.#open(checkName(queue));
    const one = async (state: ItemState): Promise<ItemInfo | undefined> =>
      item === undefined ? first(this.items(queue, { state, limit: 1 })) : item.state === state ? item : undefined;
    const [next, later] = [await one("waiting"), await one("delayed")];
    if (item !== undefined && next === undefined && later === undefined) return [];
    const definition = await store.definition(queue);
    const takes = takesOf(queue, definition.options, next?.group);
    const limits = next === undefined ? [] : await this.#manager.why(queue, takes);
    let following = 0;
    if (item === undefined)
      for await (const active of this.items(queue, { state: "active", limit: COUNTED })) if (active.next) following++;
    return reasonsOf({
      ...(counts ?? (await this.counts(queue))),
      ...(item !== undefined && { waiting: next ? 1 : 0, delayed: later ? 1 : 0, dead: 0, isOne: true }),
      paused: this.#pauseOf(queue, definition, await this.#manager.maintenance()),
      limits: limits.filter(({ code }) => code === "permit" || code === "rate"),
      due: later?.due,
      following,
    });
  }

  /**
   * The items of a queue: those that wait in the order in which they are taken, the others by their ids.
   * Reads only as many as the caller takes, one state after the other: an item that changes its state
   * meanwhile may be missed, or come twice. To learn when all are done, use {@link Queues.batch}.
   *
   * @throws QueueError `INVALID`; ChannelError if the store fails
   */
  async *items(queue: string, options: ItemsOptions = {}): AsyncGenerator<ItemInfo, void, undefined> {
    checkNames(queue, "items", options, ["state", "group", "limit"]);
    const { state, group, limit = Number.POSITIVE_INFINITY } = options;
    if (state !== undefined) checkState(queue, "items", state, STATES);
    let left = limit;
    const where = (item: ItemInfo): boolean => group === undefined || item.group === group;
    for (const one of state === undefined ? STATES : [state]) {
      for await (const { info } of this.#found(queue, one, { limit: left, where })) {
        left--;
        yield info;
      }
    }
  }

  /**
   * The item with this id, in whichever state; `undefined` if there is none. One that waits is searched among
   * all that wait.
   */
  async item(queue: string, id: string): Promise<ItemInfo | undefined> {
    return (await this.#find(queue, id, STATES))?.info;
  }

  /**
   * Makes a dead or delayed item waiting now. The attempts of a dead one begin again.
   *
   * @throws QueueError `UNKNOWN` if no such item is dead or delayed, `INVALID` if another item has its unique
   * key by now; ChannelError if the store fails
   */
  async retry(queue: string, id: string, why: Partial<Why> = {}): Promise<void> {
    const found = await this.#find(queue, id, ["dead", "delayed"]);
    if (found === undefined) throw unknown(queue, id, " that is dead or delayed");
    const store = await this.#open(queue);
    const result = await store.channel.commitWith<unknown[]>(retryOps(queue, found), [
      this.#audit("retry", queue, why, id),
    ]);
    if (result.ok) return;
    const isTaken = result.failed.some(({ key }) => (key as readonly unknown[])[0] === "uniq");
    if (!isTaken) throw unknown(queue, id, " that is still dead or delayed");
    refuse(queue, `another item of the queue "${queue}" has the unique key of the item ${id}: discard one of them`);
  }

  /**
   * Removes an item. An active one is cancelled first: its signal fires, and it is removed once its handler
   * has returned. Resolves to whether it is gone.
   *
   * @throws QueueError `UNKNOWN`; ChannelError if the store fails
   */
  async discard(queue: string, id: string, why: Why): Promise<boolean> {
    checkWhy(queue, "discard", why);
    const store = await this.#open(queue);
    for (;;) {
      const found = await this.#find(queue, id, STATES);
      if (found === undefined) throw unknown(queue, id);
      if (isTaken(found.value)) {
        const { ended } = await this.#manager.cancel(found.value.run, why);
        if (!ended) return false;
        continue;
      }
      const ops = removeOps(queue, found);
      if (!(await store.channel.commitWith<unknown[]>(ops, [this.#audit("discard", queue, why, id)])).ok) continue;
      if (found.info.batch !== undefined) await endBatch(store, queue, found.info.batch);
      return true;
    }
  }

  /**
   * Retries the dead letters of a queue, those added first at the head. `rate`: spreads them over time.
   * Resolves to their number. Those whose unique key another item has stay.
   *
   * @throws QueueError `INVALID`; ChannelError if the store fails, after some may be retried
   */
  async redrive(queue: string, options: RedriveOptions = {}): Promise<number> {
    checkNames(queue, "redrive", options, ["rate", "limit", "where", "reason", "author"]);
    const { rate } = options;
    const store = await this.#open(queue);
    if (rate !== undefined) checkNames(queue, "rate", rate, ["max", "per"]);
    if (rate !== undefined && !(rate.max > 0))
      refuse(queue, `queue "${queue}": rate.max must be a number above 0, not ${valueText(rate.max)}`);
    const apart = rate === undefined ? 0 : checkDuration(queue, "rate.per", rate.per) / rate.max;
    const now = this.#clock.now();
    let begun = 0;
    const retry = async (found: Found): Promise<boolean> => {
      const at = apart === 0 ? undefined : now + apart * begun++;
      return (await store.channel.commit(retryOps(queue, found, at))).ok;
    };
    return this.#audited(store, "redrive", queue, options, () => this.#each(queue, "dead", options, retry));
  }

  /**
   * Removes the items in one state. Default: those that wait. Resolves to their number.
   *
   * @throws QueueError `INVALID` without a reason; ChannelError if the store fails, after some may be removed
   */
  async purge(queue: string, options: PurgeOptions): Promise<number> {
    checkWhy(queue, "purge", options);
    checkNames(queue, "purge", options, ["state", "group", "where", "reason", "author"]);
    const { state = "waiting", group, where = () => true } = options;
    checkState(queue, "a purge", state, ["waiting", "delayed", "dead"]);
    const store = await this.#open(queue);
    const isMeant = (item: ItemInfo): boolean => (group === undefined || item.group === group) && where(item);
    const remove = async (found: Found): Promise<boolean> => (await store.channel.commit(removeOps(queue, found))).ok;
    return this.#audited(store, "purge", queue, options, async () => {
      const count = await this.#each(queue, state, { where: isMeant }, remove);
      if (count > 0) await endBatches(store, queue);
      return count;
    });
  }

  /**
   * Pauses a queue: once this resolves, no worker takes an item of it. Items can be added, and those that are
   * active continue.
   *
   * @throws QueueError `INVALID` without a reason; ChannelError if the store fails
   */
  async pause(queue: string, options: PauseOptions): Promise<void> {
    checkWhy(queue, "pause", options);
    const { reason, author, until } = options;
    if (until !== undefined && !(until > this.#clock.now()))
      refuse(queue, `queue "${queue}": until must be a time in the future, in ms since 1970, not ${valueText(until)}`);
    const store = await this.#defined(queue);
    const by = author ?? `${store.host}, pid ${process.pid}`;
    const pause = { reason, by, at: this.#clock.now(), ...(until !== undefined && { until }) };
    const audit = this.#audit("pause", queue, options);
    await store.redefine(queue, ({ options: stored }) => ({ options: stored, pause }), [audit]);
  }

  /** Ends the pause of a queue. Resolves to whether it was paused. */
  async resume(queue: string, why: Partial<Why> = {}): Promise<boolean> {
    const store = await this.#open(queue);
    let wasPaused = false;
    const audit = this.#audit("resume", queue, why);
    const change = ({ options, pause }: Awaited<ReturnType<QueueStore["definition"]>>) => {
      wasPaused = pauseAt(pause, this.#clock.now()) !== undefined;
      return pause === undefined ? undefined : { options };
    };
    await store.redefine(queue, change, [audit]);
    return wasPaused;
  }

  /** Closes all workers of this process: see {@link Worker.close}. Then nothing can be added. */
  async close(options: WorkerCloseOptions = {}): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#workers].map((worker) => worker.close(options)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(queue: string): Promise<QueueStore> {
    if (this.#isClosed) return Promise.reject(new QueueError("CLOSED", queue, "these queues are closed"));
    this.#store ??= openQueueStore(this.#manager, this.#clock, this.#instance).catch((error: unknown) => {
      // A store that was away may be back for the next call.
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }

  /** The store, once the queue is in the list: that shows queues to which items were only added, too. */
  async #defined(queue: string): Promise<QueueStore> {
    checkName(queue);
    const store = await this.#open(queue);
    if (this.#known.has(queue)) return store;
    await store.redefine(queue, ({ version, options }) => (version === null ? { options } : undefined));
    this.#known.add(queue);
    return store;
  }

  /** The pause of a queue, the maintenance that covers it, or both. */
  #pauseOf(queue: string, definition: Pick<Definition, "pause">, all: readonly Maintenance[]): QueuePause | undefined {
    const maintenance = maintenanceOf(all, queue);
    const also = maintenance && pauseBy(maintenance);
    const pause = pauseAt(definition.pause, this.#clock.now());
    return pause === undefined ? also : { ...pause, ...present({ also }) };
  }

  /** Records the action before its first change: it may be killed meanwhile. Then adds the number. */
  async #audited(
    { channel }: QueueStore,
    action: string,
    queue: string,
    why: Partial<Why>,
    change: () => Promise<number>,
  ): Promise<number> {
    const { channel: audits, ops } = this.#audit(action, queue, why);
    await channel.commitWith<unknown[]>([], [{ channel: audits, ops }]);
    const count = await change();
    const counted = ops.map((op) =>
      "put" in op ? { ...op, value: { ...(op.value as object), details: { count } } } : op,
    );
    await channel.commitWith<unknown[]>([], [{ channel: audits, ops: counted }]);
    return count;
  }

  #audit(action: string, queue: string, { reason, author }: Partial<Why>, item?: JsonValue): ChannelOps<unknown> {
    return this.#manager.auditOps({
      action: `queue-${action}`,
      name: queue,
      by: { host: hostname(), pid: process.pid, instance: this.#instance },
      ...(reason !== undefined && { reason }),
      ...(author !== undefined && { author }),
      ...(item !== undefined && { details: { [typeof item === "number" ? "count" : "item"]: item } }),
    }) as ChannelOps<unknown>;
  }

  async *#found(
    queue: string,
    state: ItemState,
    { limit = Number.POSITIVE_INFINITY, where = () => true }: Which,
  ): AsyncGenerator<Found, void, undefined> {
    const { channel } = await this.#open(queue);
    if (limit <= 0) return;
    let left = limit;
    for await (const entry of readable(channel, { prefix: [KINDS[state], queue] })) {
      const found = foundOf(queue, state, entry);
      if (found === undefined || !where(found.info)) continue;
      yield found;
      if (--left <= 0) return;
    }
  }

  /** Twice: the item may move from a state to one that was searched before. */
  async #find(queue: string, id: string, states: readonly ItemState[]): Promise<Found | undefined> {
    return (await this.#findOnce(queue, id, states)) ?? this.#findOnce(queue, id, states);
  }

  async #findOnce(queue: string, id: string, states: readonly ItemState[]): Promise<Found | undefined> {
    const { channel } = await this.#open(queue);
    for (const state of states) {
      let key: Key | undefined;
      if (state === "active") key = takenKey(queue, id);
      else if (state === "dead") key = deadKey(queue, id);
      else {
        for await (const { key: one } of channel.keys({ prefix: [KINDS[state], queue] })) {
          if (placeOf(one)?.id !== id) continue;
          key = one;
          break;
        }
      }
      const entry = key === undefined ? undefined : await unlessCorrupt(channel.entry(key));
      const found = entry === undefined ? undefined : foundOf(queue, state, entry);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Changes items of one state, several at once. Resolves to the number of those for which `change` was. */
  async #each(
    queue: string,
    state: ItemState,
    which: Which,
    change: (found: Found) => Promise<boolean>,
  ): Promise<number> {
    let count = 0;
    // No change is under way while the items are read: if that fails, no one would see the error of a change.
    for await (const batch of inBatches(this.#found(queue, state, which), AT_ONCE))
      count += (await Promise.all(batch.map(change))).filter(Boolean).length;
    return count;
  }
}

function checkWhy(queue: string, what: string, why: Why | undefined): void {
  const { reason, author = "" } = why ?? {};
  if (typeof reason !== "string" || reason === "" || reason.length > LONGEST_TEXT)
    refuse(queue, `queue "${queue}": ${what} needs { reason }, a text of 1 to ${LONGEST_TEXT} characters`);
  if (typeof author !== "string" || author.length > LONGEST_TEXT)
    refuse(queue, `queue "${queue}": author must be a text of at most ${LONGEST_TEXT} characters`);
}

function unknown(queue: string, id: string, what = ""): QueueError {
  return new QueueError("UNKNOWN", queue, `the queue "${queue}" has no item ${id}${what}`);
}

function foundOf(
  queue: string,
  state: ItemState,
  { key, value, version }: Pick<Entry<unknown>, "key" | "value" | "version">,
): Found | undefined {
  if (!isItem(value)) return undefined;
  const parts = key as readonly unknown[];
  const hasPlace = state === "waiting" || state === "delayed";
  if (!hasPlace && !isTaken(value) && !isDead(value)) return undefined;
  const { rank, turn } = value as unknown as DeadItem;
  const place = hasPlace ? placeOf(key) : { rank, turn, id: String(parts[2]) };
  if (place === undefined) return undefined;
  const { data, attempt, added, group, meta, batch, expires, runs = [], error } = value;
  const info: ItemInfo = {
    ...{ id: place.id, queue, state, data, priority: 0 - place.rank, attempt, added },
    ...present({ group, meta, batch, due: state === "delayed" ? Number(parts[2]) : undefined, expires }),
    runs: isTaken(value) ? [...runs, value.run] : runs,
    ...present({ error, died: isDead(value) ? value.died : undefined }),
    ...(isTaken(value) && value.next && { next: { data: value.next.data, ...present({ due: value.next.at }) } }),
  };
  return { key, version, info, value, place };
}

/** The ops that make a dead or delayed item waiting; with `at`, delayed until then. */
function retryOps(queue: string, { key, version, value, place }: Found, at?: number): Op<QueuesValue>[] {
  const ops: Op<QueuesValue>[] = [{ check: key, version }, { delete: key }];
  if (!isDead(value)) return [...ops, ...placeOps(queue, place, itemOf(value))];
  // A dead item has to take its unique key again.
  if (value.unique?.until === "done") ops.push({ check: uniqueKey(queue, value.unique.key), version: null });
  return [...ops, ...placeOps(queue, place, { ...itemOf(value), attempt: 1 }, at === undefined ? at : Math.ceil(at))];
}

function removeOps(queue: string, { key, version, value, place: { id } }: Found): Op<QueuesValue>[] {
  return [{ check: key, version }, { delete: key }, ...(isDead(value) ? [] : freeOps(queue, id, value, true))];
}

const pauseBy = ({ names, ...pause }: Maintenance): QueuePause => ({ ...pause, maintenance: names });
