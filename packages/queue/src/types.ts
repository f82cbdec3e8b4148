import type { ChannelOps, Duration, JsonValue, Run } from "@ojm/core";

/** A schema of the Standard Schema specification, as Zod, Valibot, ArkType and others make them. */
export interface StandardSchema {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
  };
}

/** The result of a {@link StandardSchema}. */
export type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** How a queue treats its items. See {@link Queues.define}. */
export interface QueueOptions {
  /** The most attempts of an item, from 1 to 100. A lost attempt counts too. Default: 5. */
  readonly attempts?: number;
  /** The time between a failed attempt and the next one. Default: 1 s. */
  readonly delay?: Duration;
  /** `exponential`: each delay is twice the one before, up to `maxDelay`. Default: `exponential`. */
  readonly backoff?: "fixed" | "exponential";
  /** The longest delay, seven days at most. Default: one hour. */
  readonly maxDelay?: Duration;
  /** The longest time that an attempt may take. Default: one hour. */
  readonly timeout?: Duration;
  /** The most items of one group that are processed at once, from 1 to 1,000. Default: no limit. */
  readonly perGroup?: number;
  /** Permits that each attempt needs, as the option of a run. At most 7. An item that waits for one stays. */
  readonly permits?: { readonly [permit: string]: number };
  /**
   * How often attempts may begin, over all queues and jobs that give a rate of this name. An item that waits
   * for it stays.
   */
  readonly rate?: { readonly name: string; readonly max: number; readonly per: Duration };
  /**
   * Which attempts keep the record of their run: `all`, those that end in error (`failed`), or `none`. An
   * attempt has its record while it is active. That of a lost one stays in any case. Default: `all`.
   */
  readonly record?: "all" | "failed" | "none";
  /** How long dead letters are stored. Default: 14 days. */
  readonly dead?: { readonly keep?: Duration };
  /** Checks the data of each item that this process adds. The item gets the value that the schema returns. */
  readonly schema?: StandardSchema;
}

/** Options of {@link Queues.add}. */
export interface AddOptions {
  /** From -100 to 100. Items of a higher priority are taken first. Default: 0. */
  readonly priority?: number;
  /** How long the item waits before it can be taken. */
  readonly delay?: Duration;
  /** When it can be taken, in ms since 1970, by the wall clock of the workers. */
  readonly at?: number;
  /** If no worker has taken the item by then, it is dropped: its run is `skipped`. */
  readonly ttl?: Duration;
  /** Groups are served in turn: an item waits for one of each other group per item ahead in its own. */
  readonly group?: string;
  /** Adds the item only if no other one of the queue has this key. */
  readonly unique?: UniqueOptions;
  /** The most attempts of this item, instead of those of the queue. */
  readonly attempts?: number;
  /** A small map for the records of its runs. At most 3,072 bytes as JSON. */
  readonly meta?: { readonly [key: string]: JsonValue };
}

/** How long the key of an item excludes other items. */
export interface UniqueOptions {
  /** At most 200 characters. */
  readonly key: string;
  /**
   * `taken`: until a worker first takes the item. `done`: until it is done, dead or discarded. A duration:
   * for this time from now on, whatever happens to it. Default: `done`.
   */
  readonly until?: "taken" | "done" | Duration;
  /**
   * Whether the item that has the key gets the data of the new one, and its time if that has a `delay` or
   * `at`. Its attempts begin again. If it is active, and the key counts until it is `done`, it waits once
   * more after its attempt, with the newest data. Its group and its place stay. Default: false.
   */
  readonly replace?: boolean;
}

/** Options of {@link Queues.trigger}. */
export interface TriggerOptions {
  /** How long no other trigger may come before the item can be taken. Default: it can be taken at once. */
  readonly after?: Duration;
  /** What the trigger is for. At most 200 characters. Default: the name of the queue. */
  readonly key?: string;
}

/** Options of {@link Queues.batch}, for each of its items. */
export interface BatchOptions extends Omit<AddOptions, "unique" | "group"> {
  /** The item that is added once all items of the batch have ended. */
  readonly callback: { readonly queue: string; readonly data: unknown };
}

/** The result of {@link Queues.add}. */
export interface Added {
  /** The id of the item; of the one that has the unique key already, if `added` is false. */
  readonly id: string;
  readonly added: boolean;
  /** Set if that item has, or will have, the data: see {@link UniqueOptions.replace}. */
  readonly replaced?: true;
}

/**
 * The state of an item. `waiting`: a worker with a free slot takes it. `delayed`: its time has not come, or
 * its next attempt is not due. `active`: a worker has it. `dead`: all attempts failed, or it was cancelled.
 */
export type ItemState = "waiting" | "delayed" | "active" | "dead";

/** An item in the store. */
export interface ItemInfo {
  readonly id: string;
  readonly queue: string;
  readonly state: ItemState;
  readonly data: unknown;
  readonly priority: number;
  /** The number of its attempt: of the next one if it waits, of the last one if it is dead. */
  readonly attempt: number;
  /** When it was added, in ms since 1970, by the clock of the producer. */
  readonly added: number;
  readonly group?: string;
  readonly meta?: { readonly [key: string]: JsonValue };
  /** The id of its batch: see {@link Queues.batch}. */
  readonly batch?: string;
  /** When it can be taken, if it is `delayed`. In ms since 1970. */
  readonly due?: number;
  /** When its `ttl` is over, in ms since 1970. */
  readonly expires?: number;
  /** The ids of its last runs, oldest first. */
  readonly runs: readonly string[];
  /** Why the last attempt failed. */
  readonly error?: string;
  /** When it became a dead letter, in ms since 1970. */
  readonly died?: number;
  /** Newer data of an `active` item, for after its attempt: see {@link UniqueOptions.replace}. */
  readonly next?: { readonly data: unknown; readonly due?: number };
}

/** The number of items of a queue by their state. See {@link Queues.counts}. */
export interface QueueCounts {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  readonly dead: number;
  /** Set if there are more than were counted. */
  readonly more?: true;
  /** When the oldest of the counted items that wait was added, in ms since 1970. */
  readonly oldest?: number;
  /** The living workers, and how many items they can process at once. */
  readonly workers: number;
  readonly slots: number;
  /** How many further slots are lost to handlers that run on although their signals fired. */
  readonly hung?: number;
}

/** A queue of the store. See {@link Queues.list}. */
export interface QueueSummary {
  readonly name: string;
  readonly options: Omit<QueueOptions, "schema">;
  /** Its pause, or the maintenance that keeps its items from being taken. */
  readonly paused?: QueuePause;
}

/** A pause of a queue. */
export interface QueuePause {
  readonly reason: string;
  /** The person, or the program, that paused it. */
  readonly by: string;
  /** In ms since 1970. */
  readonly at: number;
  /** When it ends by itself, in ms since 1970. */
  readonly until?: number;
  /** Set if it is a maintenance: the pattern of its names. */
  readonly maintenance?: string;
  /** The maintenance that covers a paused queue, too. Workers take items again once both have ended. */
  readonly also?: QueuePause;
}

/** Why the items of a queue, or one of them, are not processed now. See {@link Queues.why}. */
export interface QueueReason {
  /**
   * `queue-paused`, `queue-maintenance`: no worker takes an item. `queue-hung`: handlers ignore their
   * signals. `queue-unattended`: no worker lives. `queue-busy`: all workers have as many items as they can.
   * `queue-waiting`: items wait although a worker has a free slot. `permit`, `rate`: a limit of the queue
   * that lets no attempt begin now. `queue-delayed`: the time of items has not come. `queue-follows`: active
   * items are handled once more after their attempts, with newer data. `queue-dead`: there are dead letters.
   * `queue-empty`: no item waits.
   */
  readonly code:
    | "permit"
    | "rate"
    | `queue-${"paused" | "maintenance" | "hung" | "unattended" | "busy" | "waiting"}`
    | `queue-${"delayed" | "follows" | "dead" | "empty"}`;
  /** In words, with times in ISO 8601. */
  readonly text: string;
  /** With `queue-paused` and `queue-maintenance`. */
  readonly paused?: QueuePause;
}

/** Why an operator changes something, for the audit. */
export interface Why {
  /** At most 1,000 characters. */
  readonly reason: string;
  /** The person. */
  readonly author?: string;
}

/** Options of {@link Queues.pause}. */
export interface PauseOptions extends Why {
  /** When the pause ends by itself, in ms since 1970. */
  readonly until?: number;
}

/** Options of {@link Queues.items}. */
export interface ItemsOptions {
  /** Only items in this state. Default: all, in the order `active`, `waiting`, `delayed`, `dead`. */
  readonly state?: ItemState;
  readonly group?: string;
  /** The most items. */
  readonly limit?: number;
}

/** Options of {@link Queues.redrive}. */
export interface RedriveOptions extends Partial<Why> {
  /** The most items per time that become due. Default: all at once. */
  readonly rate?: { readonly max: number; readonly per: Duration };
  /** The most dead letters to retry. Default: all. */
  readonly limit?: number;
  /** Returns whether a dead letter is retried. Default: all are. */
  readonly where?: (item: ItemInfo) => boolean;
}

/** Options of {@link Queues.purge}. */
export interface PurgeOptions extends Why {
  /** Default: `waiting`. */
  readonly state?: "waiting" | "delayed" | "dead";
  readonly group?: string;
  /** Returns whether an item is removed. Default: all are. */
  readonly where?: (item: ItemInfo) => boolean;
}

/** Options of {@link Queues.work}. */
export interface WorkOptions {
  /** The most items that this process handles at once, from 1 to 1,000. Default: 1. */
  readonly concurrency?: number;
}

/** Options of {@link Worker.close}. */
export interface WorkerCloseOptions {
  /** How long handlers may take to return. The rest is given back, uncounted. Default: 10 s. */
  readonly grace?: Duration;
}

/** Handles an item. What it returns is the result of the run; if it throws, the attempt has failed. */
export type Handler<D = unknown> = (item: Item<D>) => unknown;

/** An item that a worker handles. */
export interface Item<D = unknown> {
  /** Use it as the idempotency key of calls to other systems. */
  readonly id: string;
  readonly queue: string;
  readonly data: D;
  /** The number of this attempt, from 1. A lost attempt counts, one that was given back does not. */
  readonly attempt: number;
  /** The most attempts. */
  readonly attempts: number;
  /** The longest time that this attempt may take, in ms: see {@link QueueOptions.timeout}. */
  readonly timeout: number;
  readonly priority: number;
  /** When the item was added, in ms since 1970, by the clock of the producer. */
  readonly added: number;
  readonly group: string | undefined;
  readonly meta: { readonly [key: string]: JsonValue } | undefined;
  /** The run of this attempt: its log, its progress, its fence. The worker ends it. */
  readonly run: Run;
  /** Fires when the attempt must stop: `run.signal`. */
  readonly signal: AbortSignal;
  /** The fencing token of the attempt: `run.fence`. */
  readonly fence: string;
  /**
   * Completes the item, and applies `ops` in the same commit: all or nothing, and only if this attempt still
   * has the item. Without it, the item is completed once the handler returns.
   *
   * @throws RunError if the attempt is over; ChannelError if the store fails
   * @example
   * await item.complete("sent", [{ channel: mails, ops: [{ put: item.id, value: "sent" }] }]);
   */
  complete(result?: unknown, ops?: readonly ChannelOps<unknown>[]): Promise<void>;
  /**
   * Completes the item within a transaction of the caller: only for stores that join transactions.
   *
   * @throws as {@link Item.complete}; ChannelError `NOT_SUPPORTED`
   */
  complete(result: unknown, options: { readonly transaction: unknown }): Promise<void>;
  /**
   * Ends the attempt as failed. `retry`: `false` makes the item a dead letter now; a duration is the time to
   * the next attempt. Without it, the attempt fails once the handler throws.
   *
   * @throws RunError if the attempt is over; ChannelError if the store fails
   */
  fail(error: unknown, options?: { readonly retry?: false | Duration }): Promise<void>;
  /**
   * Gives the item back: the attempt does not count, and its run is `skipped` with the reason. `delay`: when
   * another attempt may begin. Default: at once.
   *
   * @throws RunError if the attempt is over; ChannelError if the store fails
   */
  giveBack(reason: string, options?: { readonly delay?: Duration }): Promise<void>;
}

/** Handles the items of a queue in this process, until it is closed. */
export interface Worker {
  readonly queue: string;
  /** The number of items that it handles now. */
  readonly active: number;
  /**
   * Takes no further item. Waits for the handlers until the grace is over. Then the signals of the rest fire,
   * and their items are given back: another worker takes them at once, and the attempt does not count.
   */
  close(options?: WorkerCloseOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
