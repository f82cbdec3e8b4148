import type { JobManager } from "@ojm/core";
import { collect } from "../../../core/src/testing/settle.js";
import type { FaultyBackend } from "../../../core/src/testing/stores/faulty-backend.js";
import { World as CoreWorld, type ManagerSettings } from "../../../core/src/testing/world.js";
import { openQueues, type Queues } from "../queues.js";
import type { ItemInfo, ItemsOptions } from "../types.js";

/** The queues of a process, with its manager and its way to the store. */
export interface QueuesOf {
  readonly name: string;
  readonly queues: Queues;
  readonly manager: JobManager;
  readonly way: FaultyBackend;
}

/** A store in memory with its own time, and processes that share its queues. */
export class World extends CoreWorld {
  readonly #all: QueuesOf[] = [];

  async process(name = "one", settings: ManagerSettings = {}): Promise<QueuesOf> {
    const { manager, way } = await this.manager(settings);
    const queues = openQueues(manager, { clock: this.clock, instance: name });
    const one = { name, queues, manager, way };
    this.#all.push(one);
    return one;
  }

  /** The process dies: none of its calls reaches the store any more. */
  kill(one: QueuesOf): void {
    const { way } = one;
    this.#all.splice(this.#all.indexOf(one), 1);
    way.heard = () => new Promise(() => {});
    way.fault = () => ({ type: "request lost" });
  }

  items({ queues }: QueuesOf, options: ItemsOptions = {}, queue = "q"): Promise<ItemInfo[]> {
    return this.clock.until(collect(queues.items(queue, options)));
  }

  async close(): Promise<void> {
    for (const { queues, manager } of this.#all) {
      await this.clock.until(queues.close({ grace: 0 }));
      await this.clock.until(manager.close({ grace: 0 }));
    }
  }
}
