import { type Channel, isChannelError, isRunError, type JobManager } from "@ojm/core";
import { type Item, isQueueError, openQueues, type Queues } from "@ojm/queue";
import type { Order, WorkerConfig } from "../scene/events.js";
import { itemLock, QUEUE, queueOptions, rowOf, TABLE } from "../scene/jobs.js";
import { patiently } from "../scene/patiently.js";
import { hostTime } from "../scene/time.js";
import { CLEANING, isClosing } from "./closing.js";
import type { Journal } from "./journal.js";
import { sleep } from "./sleep.js";

/** The timeout of each attempt, in ms: the default of a queue. */
const HOUR = 3_600_000;

const CONCURRENCY = 3;
const GROUPS = ["x", "y", "z"];
const KEYS = ["k", "l", "m"];

/** What the handler of an item does with it. */
type Ending = "completes" | "fails" | "dies" | "gives back";

/**
 * What a worker does in the mode `queue` beside its plain runs: it adds items to a queue, and handles those
 * of all processes. Each item that completes gets a row in a table, in the commit that ends it.
 */
export class Items {
  readonly #config: WorkerConfig;
  readonly #journal: Journal;
  readonly #chance: () => number;
  readonly #queues: Queues[] = [];
  /** The orders for the next handlers. */
  readonly #orders: (Order & { readonly order: "hold" })[] = [];
  #working: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(config: WorkerConfig, journal: Journal, chance: () => number) {
    this.#config = config;
    this.#journal = journal;
    this.#chance = chance;
  }

  hold(order: Order & { readonly order: "hold" }): void {
    this.#orders.push(order);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Adds nothing more, and lets the handlers return. */
  async leave(): Promise<void> {
    await this.#working;
    await this.close();
  }

  /** Closes the workers: their handlers are asked to end. */
  async close(): Promise<void> {
    await Promise.all(this.#queues.map((queues) => queues.close()));
  }

  get settled(): Promise<unknown> {
    return this.#working;
  }

  begin(managers: readonly JobManager[]): void {
    this.#working = this.#work(managers);
  }

  async #work(managers: readonly JobManager[]): Promise<void> {
    for (const manager of managers) {
      const queues = openQueues(manager);
      this.#queues.push(queues);
      try {
        const table = await patiently(() => manager.channel<true>(TABLE));
        await patiently(() => queues.define(QUEUE, queueOptions));
        await patiently(() => queues.work(QUEUE, (item) => this.#handle(item, table), { concurrency: CONCURRENCY }));
      } catch (error) {
        // Asked to end before it had begun.
        if (this.#stopped && (isQueueError(error) || isChannelError(error))) return;
        throw error;
      }
    }
    const [queues] = this.#queues as [Queues];
    await Promise.all([this.#add(queues), this.#keepOn(queues), this.#config.index === 0 && this.#pause(queues)]);
    await this.#resume(queues);
  }

  async #add(queues: Queues): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      await sleep(this.#between(20, 100));
      const key = this.#chance() < 0.3 ? this.#oneOf(KEYS) : undefined;
      const options = {
        priority: this.#chance() < 0.2 ? 1 : 0,
        ...(this.#chance() < 0.5 && { group: this.#oneOf(GROUPS) }),
        ...(this.#chance() < 0.2 && { delay: this.#between(1, 500) }),
        ...(key !== undefined && { unique: { key } }),
      };
      const sent = hostTime();
      await this.#quietly(async () => {
        const { id, added } = await queues.add(QUEUE, n, options);
        if (added) this.#journal.write({ e: "added", item: id, sent, ...(key !== undefined && { key }) });
      });
    }
  }

  /** One process pauses the queue, and all resume it: the one that paused it may be killed. */
  async #pause(queues: Queues): Promise<void> {
    while (!this.#stopped) {
      await sleep(this.#between(200, 600));
      const sent = hostTime();
      await this.#quietly(async () => {
        await queues.pause(QUEUE, { reason: "torture" });
        this.#journal.write({ e: "paused", sent });
      });
      await sleep(this.#between(50, 200));
    }
  }

  async #keepOn(queues: Queues): Promise<void> {
    while (!this.#stopped) {
      await sleep(this.#between(100, 300));
      await this.#resume(queues);
    }
  }

  async #resume(queues: Queues): Promise<void> {
    this.#journal.write({ e: "resuming" });
    await this.#quietly(async () => {
      await queues.resume(QUEUE, { reason: "torture" });
      this.#journal.write({ e: "resumed" });
    });
  }

  async #handle(item: Item, table: Channel<true>): Promise<void> {
    const { run, id: itemId, group, signal } = item;
    const { id, fence } = run;
    const order = this.#orders.shift();
    this.#journal.write({
      e: "enter",
      id,
      name: itemLock(itemId),
      fence,
      held: order !== undefined,
      timeout: HOUR,
      run: id,
      item: itemId,
      ...(group !== undefined && { group }),
      ...(signal.aborted && { signalled: true }),
    });
    const onSignal = (): void => {
      const code = isRunError(signal.reason) ? signal.reason.code : "error";
      this.#journal.write({ e: "signal", id, code, why: String(signal.reason) });
    };
    if (signal.aborted) onSignal();
    else signal.addEventListener("abort", onSignal, { once: true });
    // A handler that is held would keep its slot, so its item, until it returns.
    if (order?.block === true) this.#compute(id, order.ms);
    else await this.#take(order?.ms ?? this.#between(5, 50), signal, order !== undefined || this.#chance() < 0.85);
    if (isClosing(signal)) await sleep(this.#between(...CLEANING));
    // The lock of a held item must be taken again.
    const how = order === undefined ? this.#ending() : "gives back";
    this.#journal.write({
      e: "exit",
      id,
      ...((how === "fails" || how === "dies") && { fails: true }),
      ...(how === "gives back" && { skips: true }),
      ...((how === "completes" || how === "dies") && { ends: true }),
    });
    await this.#quietly(() => this.#end(item, how, table), true);
  }

  #ending(): Ending {
    const chance = this.#chance();
    return chance < 0.75 ? "completes" : chance < 0.85 ? "fails" : chance < 0.9 ? "dies" : "gives back";
  }

  async #end(item: Item, how: Ending, table: Channel<true>): Promise<void> {
    if (how === "completes") await item.complete(null, rowOf(table, item));
    else if (how === "gives back") await item.giveBack("torture", { delay: this.#between(0, 100) });
    else await item.fail("the handler failed", how === "dies" ? { retry: false } : {});
  }

  #compute(id: string, ms: number): void {
    const from = hostTime();
    while (hostTime() < from + ms);
    this.#journal.write({ e: "computed", id, from, to: hostTime() });
  }

  async #take(ms: number, signal: AbortSignal, obeys: boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (!obeys) return;
      const stop = (): void => {
        clearTimeout(timer);
        resolve();
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** `rethrows`: the worker must learn of the error, too. */
  async #quietly(work: () => Promise<unknown>, rethrows = false): Promise<void> {
    try {
      await work();
    } catch (error) {
      const isExpected = (isRunError(error) || isQueueError(error)) && error.code !== "INVALID";
      if (isChannelError(error)) this.#journal.write({ e: "trouble", code: error.code, text: error.message });
      else if (!isExpected)
        this.#journal.write({ e: "error", text: error instanceof Error ? `${error.stack}` : String(error) });
      if (rethrows) throw error;
    }
  }

  #between(low: number, high: number): number {
    return low + this.#chance() * (high - low);
  }

  #oneOf(names: readonly string[]): string {
    return names[Math.floor(this.#chance() * names.length)] ?? "";
  }
}
