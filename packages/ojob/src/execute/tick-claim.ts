import {
  type Channel,
  ChannelError,
  type Clock,
  type Entry,
  type Holder,
  type JobManager,
  type Key,
  type Op,
  type Tick,
  type Version,
} from "@ojm/core";
import { type ChannelOps, type StartClaim, type StartingRun, visible } from "@ojm/core/internal";
import { SkippedJob } from "./runtime/job-error.js";

/** A tick further ahead, in ms, is from a machine with a wrong date: it would block the job until then. */
const DAY = 86_400_000;

/**
 * The latest tick of a schedule for which a run was started. It is in the channel of the locks, under
 * `["tick", NAME, SCHEDULE]`: in a Redis Cluster, another channel may be on another node.
 */
interface TickValue {
  readonly at: number;
  readonly by: Holder;
}

/** Other programs can write to the store, so the value is validated. */
function isTickValue(value: unknown): value is TickValue {
  const { at, by } = (value ?? {}) as { readonly at?: unknown; readonly by?: unknown };
  const { host, pid } = (by ?? {}) as { readonly host?: unknown; readonly pid?: unknown };
  const isDate = typeof at === "number" && !Number.isNaN(new Date(at).getTime());
  return isDate && typeof host === "string" && typeof pid === "number";
}

/** Claims a tick that is not in the store, in the commit that takes the lock: one process gets it. */
export class TickClaim implements StartClaim {
  readonly tick: Tick;
  readonly #channel: Channel<unknown>;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #key: Key;
  #before: Entry<unknown> | undefined;

  constructor({ channels }: JobManager, clock: Clock, name: string, tick: Tick) {
    this.tick = tick;
    this.#channel = channels.locks as Channel<unknown>;
    this.#clock = clock;
    this.#name = name;
    this.#key = ["tick", name, tick.schedule];
  }

  /** Reads the latest claim before the start. Throws SkippedJob if this tick or a later one was started. */
  async look(): Promise<void> {
    const entry = await this.#channel.entry(this.#key);
    this.#before = entry;
    if (entry === undefined) return;
    if (!isTickValue(entry.value)) throw this.#corrupt();
    const { at, by } = entry.value;
    if (at < this.tick.at || at > this.#clock.now() + DAY) return;
    const which = at === this.tick.at ? "its tick" : "a later tick,";
    const text = `${which} of ${new Date(at).toISOString()} was run already, by ${visible(by.host)}, pid ${by.pid}`;
    throw new SkippedJob(`"${this.#name}" was not started: ${text}`);
  }

  refused(): Promise<void> {
    return this.look();
  }

  ops({ holder: by }: StartingRun): ChannelOps<unknown>[] {
    const ops = [
      { check: this.#key, version: this.#before?.version ?? null },
      { put: this.#key, value: { at: this.tick.at, by } },
    ];
    return [{ channel: this.#channel, ops }];
  }

  /** Withdraws the claim, unless another run has claimed a later tick meanwhile. */
  undo(_run: StartingRun, version: Version): ChannelOps<unknown>[] {
    const before = this.#before;
    const write: Op<unknown> = before === undefined ? { delete: this.#key } : { put: this.#key, value: before.value };
    return [{ channel: this.#channel, ops: [{ check: this.#key, version }, write] }];
  }

  #corrupt(): ChannelError {
    const entry = `the entry ${visible(JSON.stringify(this.#key))} of the channel "${this.#channel.name}"`;
    const advice =
      "it is unknown which tick was run last. Delete it: the next tick is run then, even if it was run before";
    return new ChannelError("CORRUPT", `${entry} was not written by ojm, so ${advice}`);
  }
}
