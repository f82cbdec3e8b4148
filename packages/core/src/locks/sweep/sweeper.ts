import type { Channel } from "../../channel/channel.js";
import type { Entry } from "../../channel/types.js";
import { type Clock, systemClock } from "../../util/clock.js";
import { type LocksValue, type LockValue, sweepKey } from "../entries/schema.js";
import type { Liveness } from "../session/liveness.js";
import { sweep } from "./sweep.js";
import { chance, Turn } from "./turn.js";

/**
 * The part of a `ttl` for which no process sweeps after a sweep. In the rest of the `ttl`, the first process
 * that asks sweeps next.
 */
const LIFE = 3 / 4;

/**
 * A process without the turn waits at least this part of a `ttl` longer before it looks again. While another
 * process sweeps, its looks find nothing to do.
 */
const BEHIND = 1 / 4;

/**
 * Sweeps a channel. All processes that use the channel take turns, so that only one of them pays for each
 * sweep.
 */
export class Sweeper {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #ttl: number;
  readonly #liveness: Liveness;
  readonly #onOrphan: (lock: Entry<LockValue>) => Promise<void>;
  /** `undefined` if only this process can use the store. */
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

  /** Sweeps now, also if another process has the turn. */
  sweep(): Promise<void> {
    return this.#sweep(async () => true);
  }

  /** Sweeps if this process gets the turn. */
  async inTurn(): Promise<void> {
    const turn = this.#turn;
    if (turn === undefined) await this.sweep();
    else if (await turn.take()) await this.#sweep(() => turn.keep());
  }

  /** The time until the next turn, in ms. It is random, so that not all processes ask at once. */
  next(): number {
    const isBehind = this.#turn?.mine === false;
    const jitter = this.#ttl * (1 - LIFE) * chance(this.#clock);
    // Look soon for the first time: only from that look on does this process count how long nobody has swept.
    const first = this.#turn !== undefined && !this.#looked;
    this.#looked = true;
    if (first) return jitter;
    const busy = this.#turn?.left() ?? 0;
    return (busy > 0 ? busy : this.#ttl * LIFE) + (isBehind ? this.#ttl * BEHIND + 2 * jitter : jitter);
  }

  #sweep(goesOn: () => Promise<boolean>): Promise<void> {
    const pause = async (): Promise<boolean> => {
      await new Promise<void>((resolve) => void this.#clock.after(1, resolve, true));
      return goesOn();
    };
    return sweep(this.#channel, this.#liveness, this.#onOrphan, this.#clock, pause);
  }
}
