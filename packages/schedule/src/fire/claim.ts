import type { ChannelOps, Op, StartClaim, StartingRun, Tick, Version } from "@ojm/core";
import { type Cursor, cursorKey, type SchedulesValue, scheduleKey, tickKey } from "../store/schema.js";
import type { ScheduleStore, Stored } from "../store/store.js";

/** The tick that a run is for, and the cursor once it is started. */
export interface Plan {
  readonly at: number;
  readonly cursor: Cursor;
}

/** The store is not as it was when the run was planned: nothing was started. */
export class Changed extends Error {}

/** The tick has its outcome already, although the cursor does not say so: nothing was started. */
export class Taken extends Error {}

/**
 * The claim of a run on its tick: the cursor moves, and the tick has its outcome, in the commit that takes
 * the lock. So a tick has a run, or is still undecided, wherever a process dies.
 */
export class TickClaim implements StartClaim {
  readonly tick: Tick;
  readonly #store: ScheduleStore;
  readonly #plan: (stored: Stored) => Plan | undefined;
  #stored: Stored;
  #planned: Plan;
  #run = "";

  /** `plan`: what is to be started, by what is in the store; `undefined` if nothing is. */
  constructor(store: ScheduleStore, stored: Stored, plan: (stored: Stored) => Plan | undefined) {
    const planned = plan(stored);
    if (planned === undefined) throw new Changed();
    this.#store = store;
    this.#stored = stored;
    this.#plan = plan;
    this.#planned = planned;
    this.tick = { schedule: stored.schedule.value.name, at: planned.at };
  }

  /** What the store had when the run was last tried. */
  get stored(): Stored {
    return this.#stored;
  }

  /** What the last attempt wrote, if it was applied. */
  get planned(): Plan {
    return this.#planned;
  }

  /** The id of the run. */
  get run(): string {
    return this.#run;
  }

  ops({ id }: StartingRun): ChannelOps<SchedulesValue>[] {
    this.#run = id;
    const { schedule, cursor } = this.#stored;
    const { name, revision } = schedule.value;
    const outcome = { at: this.tick.at, value: { outcome: "run", run: id } } as const;
    const ops: Op<SchedulesValue>[] = [
      { check: scheduleKey(name), version: schedule.version },
      { check: cursorKey(name), version: cursor.version },
      { put: cursorKey(name), value: this.#planned.cursor },
      ...this.#store.tickOps(name, outcome, revision),
    ];
    return [{ channel: this.#store.channel, ops }];
  }

  async refused(): Promise<void> {
    const { schedule: name, at } = this.tick;
    const { schedule, cursor } = await this.#store.read(name);
    if (schedule === undefined || cursor === undefined) throw new Changed();
    this.#stored = { schedule, cursor };
    const plan = this.#plan(this.#stored);
    if (plan?.at !== at) throw new Changed();
    this.#planned = plan;
    if ((await this.#store.tick(name, at)) !== undefined) throw new Taken();
  }

  /** The cursor may have moved on: the tick is refused rather than tried again. */
  undo({ id }: StartingRun, version: Version): ChannelOps<SchedulesValue>[] {
    const { schedule: name, at } = this.tick;
    const { revision } = this.#stored.schedule.value;
    const refused = { at, value: { outcome: "refused", reason: "not-recorded", run: id } } as const;
    const [, ...put] = this.#store.tickOps(name, refused, revision);
    return [{ channel: this.#store.channel, ops: [{ check: tickKey(name, at), version }, ...put] }];
  }
}
