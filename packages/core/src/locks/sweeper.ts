import type { Channel } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import { type Clock, systemClock } from "../clock.js";
import { type LocksValue, type LockValue, sweepKey } from "./entries.js";
import type { Liveness } from "./liveness.js";
import { sweep } from "./sweep.js";
import { chance, Turn } from "./turn.js";

/** For so much of a time to live nobody sweeps after the last sweep. Whoever comes first in the rest of it is the next. */
const LIFE = 3 / 4;

/** Sweeps a channel, in turn with all other processes that use it: the cost of a sweep must not be paid by each of them. */
export class Sweeper {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #ttl: number;
  readonly #liveness: Liveness;
  readonly #onOrphan: (lock: Entry<LockValue>) => Promise<void>;
  /** `undefined` where no other process can be. */
  readonly #turn: Turn | undefined;
  #looked = false;

  constructor(
    channel: Channel<LocksValue>,
    clock: Clock,
    ttl: number,
    liveness: Liveness,
    onOrphan: (lock: Entry<LockValue>) => Promise<void>,
  ) {
    this.#channel = channel;
    this.#clock = clock;
    this.#ttl = ttl;
    this.#liveness = liveness;
    this.#onOrphan = onOrphan;
    const alone = channel.supports.shared === "process" && clock === systemClock;
    this.#turn = alone ? undefined : new Turn(channel, clock, sweepKey, ttl * LIFE);
  }

  /** Sweeps now, whoever else does. */
  sweep(): Promise<void> {
    return this.#sweep(async () => true);
  }

  /** Sweeps, if it is our turn. */
  async inTurn(): Promise<void> {
    const turn = this.#turn;
    if (turn === undefined) await this.sweep();
    else if (await turn.take()) await this.#sweep(() => turn.keep());
  }

  /** In how many ms the next turn is due: at random, lest all who wait for it ask at once. */
  next(): number {
    const jitter = this.#ttl * (1 - LIFE) * chance(this.#clock);
    // The first look only begins to count for how long nobody has swept: it must come soon.
    const first = this.#turn !== undefined && !this.#looked;
    this.#looked = true;
    if (first) return jitter;
    const busy = this.#turn?.left() ?? 0;
    return (busy > 0 ? busy : this.#ttl * LIFE) + jitter;
  }

  #sweep(goesOn: () => Promise<boolean>): Promise<void> {
    const pause = async (): Promise<boolean> => {
      await new Promise<void>((resolve) => void this.#clock.after(1, resolve, true));
      return goesOn();
    };
    return sweep(this.#channel, this.#liveness, this.#onOrphan, this.#clock, pause);
  }
}
