import type { Cost, Load } from "../run/contestant.js";
import { measureCost } from "../run/cost.js";
import type { Data, QueueContestant } from "./contestant.js";

/** The part of a load that is done before the measurement begins: connections are opened in it. */
const WARM_UP = 1 / 20;

/** Adds items to the queue of a contestant, works through them, and checks that none is handled twice. */
export class QueueLoads {
  readonly #contestant: QueueContestant;
  #added = 0;
  #handled = 0;
  /** One byte for each item: whether it was handled. */
  #seen = new Uint8Array(1_024);
  #wrong: Error | undefined;
  #wanted = Number.POSITIVE_INFINITY;
  #onChange: () => void = () => {};

  constructor(contestant: QueueContestant) {
    this.#contestant = contestant;
  }

  /** Does a load. Resolves to the cost of an item. */
  measure(load: Load, count: number, servers: readonly number[]): Promise<Cost> {
    const warm = Math.ceil(count * WARM_UP);
    return load.what === "add" ? this.#measureAdd(load, warm, count, servers) : this.#work(load, warm, count, servers);
  }

  async #measureAdd(load: Load, warm: number, count: number, servers: readonly number[]): Promise<Cost> {
    await this.#add(load, warm);
    return measureCost(() => this.#add(load, count - warm), servers);
  }

  /** Adds items, in `width` calls at once. */
  async #add({ width, batch = 1 }: Load, count: number): Promise<number> {
    const end = this.#added + count;
    const one = async (): Promise<void> => {
      while (this.#added < end) {
        const items = Array.from({ length: Math.min(batch, end - this.#added) }, () => this.#next());
        await this.#contestant.add(items);
      }
    };
    await Promise.all(Array.from({ length: width }, one));
    return count;
  }

  #next(): Data {
    const order = this.#added++;
    return { order, to: `customer-${order}@example.org` };
  }

  /** Works through items that were added. The worker starts before the measurement, and ends after it. */
  async #work(load: Load, warm: number, count: number, servers: readonly number[]): Promise<Cost> {
    const begin = this.#handled;
    const end = await this.#contestant.work(load, (data) => this.#handle(data));
    try {
      await this.#reached(begin + warm);
      return await measureCost(async () => {
        const from = this.#handled;
        await this.#reached(begin + count);
        if (this.#handled === from) throw new Error(`${count} items are too few to measure`);
        return this.#handled - from;
      }, servers);
    } finally {
      await end();
    }
  }

  #handle({ order }: Data): void {
    if (this.#seen.length <= order) {
      const longer = new Uint8Array(2 * order);
      longer.set(this.#seen);
      this.#seen = longer;
    }
    if (this.#seen[order] === 1) this.#wrong ??= new Error(`item ${order} was handled twice`);
    this.#seen[order] = 1;
    this.#handled++;
    if (this.#handled >= this.#wanted || this.#wrong !== undefined) this.#onChange();
  }

  async #reached(handled: number): Promise<void> {
    this.#wanted = handled;
    if (this.#handled < handled && this.#wrong === undefined)
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    if (this.#wrong !== undefined) throw this.#wrong;
  }

  /** Rejects unless each item was handled once, or is still in the store. */
  async prove(): Promise<void> {
    if (this.#wrong !== undefined) throw this.#wrong;
    const left = await this.#contestant.left();
    const open = this.#added - this.#handled;
    if (left !== open) throw new Error(`of ${this.#added} items ${this.#handled} were handled, and ${left} are left`);
  }
}
