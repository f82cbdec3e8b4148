import type { Entry, Op, Version } from "../channel/types.js";
import type { Clock } from "../clock.js";
import { type Holder, type LocksValue, tickKey } from "../locks/entries.js";
import { foreignError } from "../locks/foreign.js";
import type { Locks } from "../locks/locks.js";
import type { Companion } from "../locks/types.js";
import { isTick } from "../locks/valid.js";
import { visible } from "../visible.js";
import { RunError } from "./errors.js";
import type { Tick } from "./types.js";

/** A tick further ahead than this was taken by a machine whose date was wrong. Believed, it would keep the job from running until that day comes. */
const DAY = 86_400_000;

/** The claim of a run on its tick: one of all processes gets it, in the same step as the lock. */
export class TickClaim {
  readonly #locks: Locks;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #tick: Tick;
  #before: Entry<LocksValue> | undefined;

  constructor(locks: Locks, clock: Clock, name: string, tick: Tick) {
    this.#locks = locks;
    this.#clock = clock;
    this.#name = name;
    this.#tick = tick;
  }

  /** @throws RunError `TICK_TAKEN` if this tick or a later one was run. */
  async look(): Promise<void> {
    const entry = await this.#locks.channel.entry(tickKey(this.#name, this.#tick.schedule));
    this.#before = entry;
    if (entry === undefined) return;
    if (!isTick(entry.value)) {
      const then =
        "nobody can tell which tick was run last. Delete it: the next tick is run then, even if it was run before";
      throw foreignError(this.#locks.channel.name, entry.key, then);
    }
    const { at, by } = entry.value;
    if (at < this.#tick.at || at > this.#clock.now() + DAY) return;
    const which = at === this.#tick.at ? "its tick" : "a later tick,";
    const text = `${which} of ${new Date(at).toISOString()} was run already, by ${visible(by.host)}, pid ${by.pid}`;
    throw new RunError("TICK_TAKEN", this.#name, `"${this.#name}" was not started: ${text}`);
  }

  /** What must be written, among the locks, in the same step as the lock itself. */
  ops(by: Holder): Op<LocksValue>[] {
    const key = tickKey(this.#name, this.#tick.schedule);
    return [
      { check: key, version: this.#before?.version ?? null },
      { put: key, value: { at: this.#tick.at, by } },
    ];
  }

  /** Gives the tick back with the lock, of a run that could not be: another process may start it. `fence`: what both were taken by. */
  back(fence: Version): Companion {
    const key = tickKey(this.#name, this.#tick.schedule);
    const before = this.#before;
    const write: Op<LocksValue> = before === undefined ? { delete: key } : { put: key, value: before.value };
    let beside: readonly Op<LocksValue>[] = [{ check: key, version: fence }, write];
    return {
      prepare: () => ({ beside, ops: [] }),
      // Somebody took a later one.
      refused: () => {
        beside = [];
      },
    };
  }
}
