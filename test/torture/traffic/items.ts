import { type Channel, isChannelError, isRunError, type JobManager } from "@ojm/core";
import { type Item, isQueueError, openQueues, type Queues } from "@ojm/queue";
import { itemLock, QUEUE, queueOptions, rowOf, TABLE } from "../scene/jobs.js";
import { patiently } from "../scene/patiently.js";
import { hostTime } from "../scene/time.js";
import { CLEANING, isClosing } from "./closing.js";
import { sleep } from "./sleep.js";
import { HOUR, OwnTraffic } from "./traffic.js";

const CONCURRENCY = 3;
const GROUPS = ["x", "y", "z"];
const KEYS = ["k", "l", "m"];

/** What the handler of an item does with it. */
type Ending = "completes" | "fails" | "dies" | "gives back";

/**
 * What a worker does in the mode `queue` beside its plain runs: it adds items to a queue, and handles those
 * of all processes. Each item that completes gets a row in a table, in the commit that ends it.
 */
export class Items extends OwnTraffic {
  readonly #queues: Queues[] = [];
  /** Adds nothing more, and lets the handlers return. */
  async leave(): Promise<void> {
    await this.settled;
    await this.close();
  }

  /** Closes the workers: their handlers are asked to end. */
  async close(): Promise<void> {
    await Promise.all(this.#queues.map((queues) => queues.close()));
  }

  protected async work(managers: readonly JobManager[]): Promise<void> {
    for (const manager of managers) {
      const queues = openQueues(manager);
      this.#queues.push(queues);
      try {
        const table = await patiently(() => manager.channel<true>(TABLE));
        await patiently(() => queues.define(QUEUE, queueOptions));
        await patiently(() => queues.work(QUEUE, (item) => this.#handle(item, table), { concurrency: CONCURRENCY }));
      } catch (error) {
        // Asked to end before it had begun.
        if (this.stopped && (isQueueError(error) || isChannelError(error))) return;
        throw error;
      }
    }
    const [queues] = this.#queues as [Queues];
    await Promise.all([this.#add(queues), this.#keepOn(queues), this.config.index === 0 && this.#pause(queues)]);
    await this.#resume(queues);
  }

  async #add(queues: Queues): Promise<void> {
    for (let n = 0; !this.stopped; n++) {
      await sleep(this.between(20, 100));
      const key = this.chance() < 0.3 ? this.oneOf(KEYS) : undefined;
      const options = {
        priority: this.chance() < 0.2 ? 1 : 0,
        ...(this.chance() < 0.5 && { group: this.oneOf(GROUPS) }),
        ...(this.chance() < 0.2 && { delay: this.between(1, 500) }),
        ...(key !== undefined && { unique: { key } }),
      };
      const sent = hostTime();
      await this.quietly(async () => {
        const { id, added } = await queues.add(QUEUE, n, options);
        if (added) this.journal.write({ e: "added", item: id, sent, ...(key !== undefined && { key }) });
      });
    }
  }

  /** One process pauses the queue, and all resume it: the one that paused it may be killed. */
  async #pause(queues: Queues): Promise<void> {
    while (!this.stopped) {
      await sleep(this.between(200, 600));
      const sent = hostTime();
      await this.quietly(async () => {
        await queues.pause(QUEUE, { reason: "torture" });
        this.journal.write({ e: "paused", sent });
      });
      await sleep(this.between(50, 200));
    }
  }

  async #keepOn(queues: Queues): Promise<void> {
    while (!this.stopped) {
      await sleep(this.between(100, 300));
      await this.#resume(queues);
    }
  }

  async #resume(queues: Queues): Promise<void> {
    this.journal.write({ e: "resuming" });
    await this.quietly(async () => {
      await queues.resume(QUEUE, { reason: "torture" });
      this.journal.write({ e: "resumed" });
    });
  }

  async #handle(item: Item, table: Channel<true>): Promise<void> {
    const { run, id: itemId, group, signal } = item;
    const { id, fence } = run;
    const order = this.orders.shift();
    this.journal.write({
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
      this.journal.write({ e: "signal", id, code, why: String(signal.reason) });
    };
    if (signal.aborted) onSignal();
    else signal.addEventListener("abort", onSignal, { once: true });
    // A handler that is held would keep its slot, so its item, until it returns.
    if (order?.block === true) this.compute(id, order.ms);
    else await this.take(order?.ms ?? this.between(5, 50), signal, order !== undefined || this.chance() < 0.85);
    if (isClosing(signal)) await sleep(this.between(...CLEANING));
    // The lock of a held item must be taken again.
    const how = order === undefined ? this.#ending() : "gives back";
    this.journal.write({
      e: "exit",
      id,
      ...((how === "fails" || how === "dies") && { fails: true }),
      ...(how === "gives back" && { skips: true }),
      ...((how === "completes" || how === "dies") && { ends: true }),
    });
    await this.quietly(() => this.#end(item, how, table), true);
  }

  #ending(): Ending {
    const chance = this.chance();
    return chance < 0.75 ? "completes" : chance < 0.85 ? "fails" : chance < 0.9 ? "dies" : "gives back";
  }

  async #end(item: Item, how: Ending, table: Channel<true>): Promise<void> {
    if (how === "completes") await item.complete(null, rowOf(table, item));
    else if (how === "gives back") await item.giveBack("torture", { delay: this.between(0, 100) });
    else await item.fail("the handler failed", how === "dies" ? { retry: false } : {});
  }

  protected isExpected(error: unknown): boolean {
    return (isRunError(error) || isQueueError(error)) && error.code !== "INVALID";
  }
}
