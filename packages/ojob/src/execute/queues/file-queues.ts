import { maskUrls } from "@ojm/core/internal";
import type { Item } from "@ojm/queue";
import type { Args } from "../../load/job-file.js";
import type { PlannedJob } from "../../plan/planned.js";
import { argsOfItem, type ManagerArgs, managerArgs } from "../../plan/queue/queue-args.js";
import { isMap } from "../../text/template.js";
import type { JobOutcome } from "../dispatch/requests.js";
import type { Engine } from "../engine.js";
import { JobError } from "../runtime/job-error.js";
import { UNLIMITED } from "../runtime/locks.js";
import type { QueueStore, StoreConfig, WorkedQueue } from "./queue-stores.js";

/** How often a queue in memory is checked for items before the process ends, in ms. */
const CHECK_INTERVAL = 50;

/** The queues whose items are handled by the jobs of one job file. */
export class FileQueues {
  readonly #engine: Engine;
  readonly #slots: number;
  readonly #queues = new Map<string, ItemJobs>();

  /** `slots`: how many jobs of the file run at once. */
  constructor(engine: Engine, slots: number) {
    this.#engine = engine;
    this.#slots = slots;
  }

  /** Handles the items of a queue. `config`: its store, if it is not that of the job manager. */
  async begin(args: Args, config: StoreConfig | undefined): Promise<void> {
    const { runtime, log, refusal } = this.#engine;
    const wanted = managerArgs(args);
    const { name } = wanted;
    const key = JSON.stringify([wanted, config]);
    const before = this.#queues.get(name);
    if (before?.key === key) return;
    if (before !== undefined || runtime.queues.worked.has(name))
      throw new JobError(`the queue "${name}" has a worker already, with other arguments: start it once`);
    if (refusal !== undefined) return;
    const items = new ItemJobs(this.#engine, wanted, key);
    this.#queues.set(name, items);
    try {
      const store = await runtime.queues.open(config);
      if (!store.isLasting) log.line("WARN", inMemory(name));
      await store.queues.define(name, wanted.definition);
      await items.begin(store, wanted.concurrency ?? this.#slots);
    } catch (error) {
      this.#queues.delete(name);
      throw error;
    }
  }

  /** Waits until the queues in memory have no items. Resolves to whether they had any. */
  async emptied(): Promise<boolean> {
    const { clock } = this.#engine.runtime;
    let any = false;
    for (const items of this.#queues.values()) {
      while (this.#engine.refusal === undefined && (await items.hasInMemory())) {
        any = true;
        await new Promise<void>((resolve) => void clock.after(CHECK_INTERVAL, resolve, true));
      }
    }
    return any;
  }

  /** Takes no further item. */
  stop(): void {
    for (const items of this.#queues.values()) void items.stop();
  }

  /** The jobs of the file are over: another file of this process may handle the same queues. */
  forget(): void {
    for (const name of this.#queues.keys()) this.#engine.runtime.queues.worked.delete(name);
  }

  /** Takes no further item. Resolves once no job handles an item. */
  async ended(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((items) => items.end()));
  }
}

function inMemory(name: string): string {
  return `the queue "${name}" is in the memory of this process: its items are lost with it. Give it a store by oJobManager Init, or by "type" and "args" of oJob Queue Manager`;
}

/** Runs the job of each item of a queue: a request, as for any other job. */
class ItemJobs {
  readonly key: string;
  readonly #engine: Engine;
  readonly #wanted: ManagerArgs;
  /** The items that jobs handle, and those of them that are completed already. */
  readonly #items = new Map<string, Item>();
  readonly #completed = new Set<string>();
  #worked: WorkedQueue | undefined;
  #stopped: Promise<void> | undefined;

  constructor(engine: Engine, wanted: ManagerArgs, key: string) {
    this.#engine = engine;
    this.#wanted = wanted;
    this.key = key;
  }

  async begin(store: QueueStore, concurrency: number): Promise<void> {
    const { name } = this.#wanted;
    const worker = await store.queues.work(name, (item) => this.#handle(item), { concurrency });
    // The jobs in hand end by themselves, or the engine ends them once the grace period of a stop is over.
    const stop = (): Promise<void> => (this.#stopped ??= worker.close({ grace: UNLIMITED }));
    const complete = (id: string): Promise<boolean> => this.#complete(id);
    const holds = (run: object): boolean => [...this.#items.values()].some((item) => item.run === run);
    this.#worked = { name, store, complete, holds, stop };
    this.#engine.runtime.queues.worked.set(name, this.#worked);
    // A stop came while the worker was being opened.
    if (this.#engine.refusal !== undefined) void stop();
  }

  async stop(): Promise<void> {
    await this.#worked?.stop();
  }

  /** Whether it has items that are lost with this process, and that it still handles. */
  async hasInMemory(): Promise<boolean> {
    return this.#stopped === undefined && (await this.#lost()) > 0;
  }

  async end(): Promise<void> {
    await this.stop();
    const lost = await this.#lost();
    if (lost === 0) return;
    const items = lost === 1 ? "one item is" : `${lost} items are`;
    this.#engine.log.line("WARN", `${items} lost with the queue "${this.#wanted.name}", which is in memory`);
  }

  async #lost(): Promise<number> {
    const { store, name } = this.#worked ?? {};
    if (store === undefined || name === undefined || store.isLasting) return 0;
    const { waiting, delayed, active } = await store.queues.counts(name);
    return waiting + delayed + active;
  }

  async #complete(id: string): Promise<boolean> {
    const item = this.#items.get(id);
    if (item === undefined || this.#completed.has(id)) return item !== undefined;
    this.#completed.add(id);
    await item.complete();
    return true;
  }

  async #handle(item: Item): Promise<void> {
    this.#items.set(item.id, item);
    try {
      const request = this.#requestOf(item);
      if (typeof request === "string") return await this.#failed(item, new JobError(request), true);
      await this.#settle(item, await request);
    } finally {
      this.#items.delete(item.id);
      this.#completed.delete(item.id);
    }
  }

  /** Requests the job of an item. A text says why that cannot be. */
  #requestOf({ data, id, run, signal, attempt }: Item): Promise<JobOutcome> | string {
    const { plan, dispatch } = this.#engine;
    if (!isMap(data) || typeof data["job"] !== "string" || !isMap(data["data"]))
      return `the item ${id} is not one of oJob Queue Add: it needs the fields "job" and "data"`;
    const { job: name, data: own, timeout } = data;
    const job = plan.jobs.get(name);
    if (job === undefined) return `the item ${id} names the job "${name}", and this job file has no such job`;
    const given = [argsOfItem(own, id, { job: name, data: own }, attempt)];
    const handed = { run, isAdopted: false, isLogged: true, isOrphaned: () => false };
    const limited = typeof timeout === "number" ? within(job, timeout) : job;
    const [request] = dispatch.submit({ job: limited, given, trigger: "queue", handed });
    if (request === undefined) return "the jobs are over";
    return request.finishedUnder(signal);
  }

  /** Ends the attempt as its job ended. */
  async #settle(item: Item, outcome: JobOutcome): Promise<void> {
    if (this.#completed.has(item.id)) return;
    const { refusal } = this.#engine;
    if (outcome.status === "completed") {
      if (this.#wanted.deletes) return;
      const message = `the job ended, and no oJob Queue Delete has completed its item: "queueDelete" is false`;
      return this.#failed(item, new JobError(message));
    }
    if (outcome.status === "skipped") {
      if (outcome.intended) await item.run.skip(this.#shown(outcome.reason));
      else if (refusal !== undefined) await item.giveBack(this.#shown(outcome.reason));
      else await this.#failed(item, new JobError(outcome.reason));
      return;
    }
    const { error } = outcome;
    // Its run has ended: a timeout, a cancel or a lost lock ended the job.
    if (item.signal.aborted) throw new Error(this.#shown(error.message));
    if (refusal !== undefined && error.code === "CANCELLED") await item.giveBack(this.#shown(error.message));
    else await this.#failed(item, error);
  }

  /** `isFinal`: no other attempt can end better. */
  async #failed(item: Item, error: JobError, isFinal = false): Promise<void> {
    const { attempts, name } = this.#wanted;
    const isLast = isFinal || item.attempt >= attempts;
    const message = this.#shown(error.message);
    const { exit } = error.failure;
    if (exit !== undefined) item.run.exited(...exit);
    await item.fail(message, isLast ? { retry: false } : {});
    const job = isMap(item.data) ? String(item.data["job"]) : name;
    const what = `the item ${item.id} of the queue "${name}" failed at attempt ${item.attempt} of ${attempts}`;
    const { log } = this.#engine;
    if (isLast) {
      log.line("ERROR", `${what}, and is a dead letter now: ${message}`, job);
      this.#engine.failed(job, Object.assign(error, { shown: true }));
    } else log.line("WARN", `${what}, and is tried again: ${message}`, job);
  }

  #shown(text: string): string {
    return maskUrls(this.#engine.log.mask(text));
  }
}

/** The job with this timeout, unless its own is shorter. */
function within(job: PlannedJob, timeout: number): PlannedJob {
  const { timeout: own = Number.POSITIVE_INFINITY } = job.typeArgs;
  return { ...job, typeArgs: { ...job.typeArgs, timeout: Math.min(own, timeout) } };
}
