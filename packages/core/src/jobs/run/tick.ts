import type { Channel, ChannelOps } from "../../channel/channel.js";
import type { Entry, Key, Op, Version } from "../../channel/types.js";
import { corruptError } from "../../locks/entries/corrupt.js";
import { whom } from "../../locks/entries/held.js";
import { isHolder } from "../../locks/entries/valid.js";
import type { Holder } from "../../locks/types.js";
import type { Clock } from "../../util/clock.js";
import { fieldsOf, isTime } from "../../util/shape.js";
import { RunError } from "../errors.js";
import type { StartClaim, StartingRun, Tick } from "../types.js";
import type { RunContext } from "./context.js";

/**
 * A tick that is further ahead than this, in ms, comes from a machine with a wrong date. Accepting it would
 * keep the job from running until then.
 */
const DAY = 86_400_000;

/**
 * The latest tick of a schedule for which a run was started. The locks channel keeps it under `["tick", NAME,
 * SCHEDULE]`.
 */
export interface TickValue {
  /** In ms since 1970. */
  readonly at: number;
  readonly by: Holder;
}

/** Whether a value is one that {@link TickClaim} writes. */
export function isTickValue(value: unknown): value is TickValue {
  const tick = fieldsOf<TickValue>(value);
  return tick !== undefined && isTime(tick.at) && isHolder(tick.by);
}

const tickKey = (name: string, schedule: string): Key => ["tick", name, schedule];

/** The claim of a run on its tick. Exactly one process gets it, in the commit that takes the lock. */
export class TickClaim implements StartClaim {
  readonly #channel: Channel<unknown>;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #tick: Tick;
  readonly #key: Key;
  #before: Entry<unknown> | undefined;

  constructor({ lockChannel, clock }: RunContext, name: string, tick: Tick) {
    this.#channel = lockChannel;
    this.#clock = clock;
    this.#name = name;
    this.#tick = tick;
    this.#key = tickKey(name, tick.schedule);
  }

  /**
   * Reads the latest claim.
   *
   * @throws RunError `TICK_TAKEN` if a run was started for this tick or a later one
   */
  async look(): Promise<void> {
    const entry = await this.#channel.entry(this.#key);
    this.#before = entry;
    if (entry === undefined) return;
    if (!isTickValue(entry.value)) {
      const advice =
        "nobody can tell which tick was run last. Delete it: the next tick is run then, even if it was run before";
      throw corruptError(this.#channel.name, entry.key, advice);
    }
    const { at, by } = entry.value;
    if (at < this.#tick.at || at > this.#clock.now() + DAY) return;
    const which = at === this.#tick.at ? "its tick" : "a later tick,";
    const text = `${which} of ${new Date(at).toISOString()} was run already, by ${whom(by)}`;
    throw new RunError("TICK_TAKEN", this.#name, `"${this.#name}" was not started: ${text}`);
  }

  refused(): Promise<void> {
    return this.look();
  }

  ops({ holder: by }: StartingRun): ChannelOps<unknown>[] {
    const ops = [
      { check: this.#key, version: this.#before?.version ?? null },
      { put: this.#key, value: { at: this.#tick.at, by } },
    ];
    return [{ channel: this.#channel, ops }];
  }

  /** Withdraws the claim, unless another run has claimed a later tick meanwhile. */
  undo(_run: StartingRun, version: Version): ChannelOps<unknown>[] {
    const before = this.#before;
    const write: Op<unknown> = before === undefined ? { delete: this.#key } : { put: this.#key, value: before.value };
    return [{ channel: this.#channel, ops: [{ check: this.#key, version }, write] }];
  }
}
