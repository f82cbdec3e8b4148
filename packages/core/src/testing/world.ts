import { backend as simple } from "@ojm/simple";
import type { Supports } from "../channel/backend.js";
import type { Channel } from "../channel/channel.js";
import { openChannel } from "../channel/open.js";
import type { LocksValue } from "../locks/entries.js";
import { Locks } from "../locks/locks.js";
import type { LocksOptions } from "../locks/types.js";
import { FakeClock } from "./fake-clock.js";
import { FaultyBackend } from "./faulty-backend.js";

/** A store in memory with a time of its own, and as many processes as a test wants, each with its own way to the store. */
export class World {
  readonly clock: FakeClock;

  constructor(seed?: number) {
    this.clock = new FakeClock(seed);
  }

  /** A way to the store that can be made to fail. */
  async way(supports: Partial<Supports> = {}): Promise<FaultyBackend> {
    return new FaultyBackend(await simple.open({}, { clock: this.clock }), this.clock, supports);
  }

  async locks(options: LocksOptions & { readonly way?: FaultyBackend } = {}): Promise<LocksOf> {
    const way = options.way ?? (await this.way());
    const channel = await openChannel<LocksValue>("locks", { backend: way, clock: this.clock });
    return { way, channel, locks: new Locks(channel, { clock: this.clock, ...options }) };
  }
}

export interface LocksOf {
  readonly way: FaultyBackend;
  readonly channel: Channel<LocksValue>;
  readonly locks: Locks;
}
