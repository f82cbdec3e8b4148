import type { Clock, JobManager } from "@ojm/core";
import type { Queues } from "@ojm/queue";
import type { Args } from "../../load/job-file.js";
import type { PrepareType } from "../../plan/manager/channels.js";
import { DEFAULT_QUEUE } from "../../plan/queue/queue-args.js";
import { JobError } from "../runtime/job-error.js";
import { isLasting, type Managers } from "../runtime/managers.js";
import { closeAll } from "../runtime/settle.js";

/** The type of a store and its options, with absolute paths. */
export interface StoreConfig {
  readonly type: string;
  readonly args: Args;
}

/** An open store with queues. */
export interface QueueStore {
  readonly queues: Queues;
  /** The manager of the runs of its items. */
  readonly manager: JobManager;
  /** Whether other processes can share it. */
  readonly isLasting: boolean;
  close(): Promise<void>;
}

/** What this process does for a queue whose items it handles. */
export interface WorkedQueue {
  readonly name: string;
  readonly store: QueueStore;
  /** Completes the item if a job of this process handles it. */
  readonly complete: (id: string) => Promise<boolean>;
  /** Whether this is the run of an item that a job handles. */
  readonly holds: (run: object) => boolean;
  /** Takes no further item. Resolves once no job handles one. */
  readonly stop: () => Promise<void>;
}

/** The stores of queues, and the queues whose items this process handles. */
export class QueueStores {
  readonly #managers: Managers;
  readonly #prepare: PrepareType;
  readonly #clock: Clock;
  readonly #stores = new Map<string, Promise<QueueStore>>();
  /** The queues whose items this process handles, by name. */
  readonly worked: Map<string, WorkedQueue> = new Map();

  constructor(managers: Managers, prepare: PrepareType, clock: Clock) {
    this.#managers = managers;
    this.#prepare = prepare;
    this.#clock = clock;
  }

  /** Opens a store once. Default: that of the job manager. */
  open(config?: StoreConfig): Promise<QueueStore> {
    const key = JSON.stringify(config ?? null);
    const opening = this.#stores.get(key) ?? this.#openIn(config);
    this.#stores.set(key, opening);
    opening.catch(() => this.#stores.delete(key));
    return opening;
  }

  /** The name of the queue that a job means. `ofFile`: the one for which its file has a worker. */
  nameOf(queue: string | undefined, ofFile?: string): string {
    return queue ?? [...this.worked.keys()][0] ?? ofFile ?? DEFAULT_QUEUE;
  }

  /**
   * The store of a queue: that of its worker in this process, else the one of `config`, else that of the job
   * manager.
   *
   * @throws JobError if that is the memory of this process, which no other one can read
   */
  async of(name: string, config?: StoreConfig): Promise<QueueStore> {
    const worked = this.worked.get(name);
    if (worked !== undefined) return worked.store;
    const store = await this.open(config);
    if (store.isLasting) return store;
    const message = `no job of this process handles the items of the queue "${name}", and no other process can: run oJob Queue Manager first, or give the store of the queue by oJobManager Init, or by "type" and "args"`;
    throw new JobError(message);
  }

  async close(): Promise<void> {
    await closeAll(this.#stores.values());
  }

  async #openIn(config: StoreConfig | undefined): Promise<QueueStore> {
    if (config !== undefined) await this.#prepare(config.type);
    const managers = this.#managers;
    const manager = await (config === undefined ? managers.get() : managers.inStore(config));
    // Most job files have no queue.
    const { openQueues } = await import("@ojm/queue");
    const queues = openQueues(manager, { clock: this.#clock });
    const lasting = config === undefined ? managers.isLasting : isLasting(config);
    return { queues, manager, isLasting: lasting, close: () => queues.close({ grace: 0 }) };
  }
}
