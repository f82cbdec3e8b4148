import { type Clock, type Duration, isRunError, type JobManager, type Run, type Version } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import type { ChannelOps, StartClaim, StartingRun } from "@ojm/core/internal";
import { heldEvidence, one, overlap, type Why } from "../decide/outcomes.js";
import { NO_REVISION, type SchedulesValue, tickKey } from "../store/schema.js";
import { openScheduleStore, type ScheduleStore } from "../store/store.js";
import { Taken } from "./claim.js";
import { publishTicks } from "./publish-ticks.js";
import { startClaimed } from "./start.js";

/** A job whose ticks come from another scheduler. */
export interface ForeignJob {
  readonly name: string;
  readonly body: (run: Run) => unknown;
  /** The reason for the start, for the record. */
  readonly trigger: string;
  readonly timeout?: Duration;
  readonly meta?: { readonly [key: string]: string };
}

/**
 * The ticks of a scheduler that is not a part of ojm, such as node-cron. It decides when ticks are due, in
 * each replica. This class gives each tick one outcome in the store, so that one replica runs it.
 *
 * The store has no schedule for these ticks, and so no cursor. A tick that no replica reaches has no
 * outcome.
 */
export class ForeignTicks {
  readonly #manager: JobManager;
  readonly #runs: ReturnType<JobManager["group"]>;
  readonly #clock: Clock;
  #store: Promise<ScheduleStore> | undefined;

  constructor(manager: JobManager, clock: Clock = systemClock) {
    this.#manager = manager;
    this.#clock = clock;
    this.#runs = manager.group();
  }

  /**
   * Starts the run of a tick, unless the tick has an outcome. If the lock of the job is held, the tick is
   * `skipped` for an `overlap`. Resolves once the body was called: `ended` settles like `JobManager.run`.
   * Resolves to `undefined` if this process does not run the tick.
   *
   * @throws ChannelError if the store fails; RunError `INVALID`
   */
  async begin(job: ForeignJob, at: number): Promise<{ readonly ended: Promise<unknown> } | undefined> {
    const { name, body, trigger, timeout, meta } = job;
    const store = await this.#opened();
    if ((await store.tick(name, at)) !== undefined) return undefined;
    const claim = new ForeignClaim(store, name, at);
    const own = { name, body, trigger, definition: { timeout, meta } };
    try {
      const begun = await startClaimed({ manager: this.#manager, runs: this.#runs }, own, claim, { wait: 0 });
      publishTicks(name, [{ at, value: { outcome: "run", run: claim.run } }]);
      return begun;
    } catch (error) {
      if (error instanceof Taken) return undefined;
      if (!isRunError(error) || error.code !== "LOCKED") throw error;
      await this.settle(name, at, overlap(heldEvidence(error.held)));
      return undefined;
    }
  }

  /**
   * Writes the outcome of a tick that is not run, unless it has one. Resolves to whether it had none.
   *
   * @throws ChannelError if the store fails
   */
  async settle(name: string, at: number, why: Why): Promise<boolean> {
    const store = await this.#opened();
    const decided = one(at, why);
    const { ok } = await store.channel.commit(store.tickOps(name, decided, NO_REVISION));
    if (ok) publishTicks(name, [decided]);
    return ok;
  }

  /** Ends the runs like `JobManager.close`. Call it when no {@link ForeignTicks.begin} is in progress. */
  close(options?: Parameters<JobManager["close"]>[0]): Promise<void> {
    return this.#runs.close(options);
  }

  #opened(): Promise<ScheduleStore> {
    this.#store ??= openScheduleStore(this.#manager, this.#clock, this.#clock.random(12)).catch((error: unknown) => {
      // A store that was away may be back for the next tick.
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }
}

/**
 * The claim of a run on its tick: the tick gets its outcome in the commit that takes the lock.
 *
 * It has no `tick`: a run of a tick that never began is made up for by the schedulers, and none of them has
 * the body.
 */
class ForeignClaim implements StartClaim {
  readonly #store: ScheduleStore;
  readonly #name: string;
  readonly #at: number;
  /** The id of the run. */
  run = "";

  constructor(store: ScheduleStore, name: string, at: number) {
    this.#store = store;
    this.#name = name;
    this.#at = at;
  }

  ops({ id }: StartingRun): ChannelOps<SchedulesValue>[] {
    this.run = id;
    const decided = { at: this.#at, value: { outcome: "run", run: id } } as const;
    return [{ channel: this.#store.channel, ops: this.#store.tickOps(this.#name, decided, NO_REVISION) }];
  }

  async refused(): Promise<void> {
    if ((await this.#store.tick(this.#name, this.#at)) !== undefined) throw new Taken();
  }

  undo({ id }: StartingRun, version: Version): ChannelOps<SchedulesValue>[] {
    const value = { outcome: "refused", reason: "not-recorded", run: id } as const;
    const [, ...put] = this.#store.tickOps(this.#name, { at: this.#at, value }, NO_REVISION);
    return [{ channel: this.#store.channel, ops: [{ check: tickKey(this.#name, this.#at), version }, ...put] }];
  }
}
