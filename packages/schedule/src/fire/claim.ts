import type { Op, Tick, Version } from "@ojm/core";
import type { ChannelOps, StartClaim, StartingRun } from "@ojm/core/internal";
import { WRONG_CLOCK } from "../decide/decide.js";
import {
  type Cursor,
  cursorKey,
  REQUEST_TTL,
  type RequestValue,
  requestKey,
  type SchedulesValue,
  scheduleKey,
  TICK_TTL,
  tickKey,
} from "../store/schema.js";
import {
  type FoundOutcome,
  passedBefore,
  replaceOps,
  type ScheduleStore,
  type Stored,
  type Versioned,
} from "../store/store.js";
import { isKnownTick } from "../store/valid.js";

/** The tick that a run is for, and the cursor once it is started. */
export interface Plan {
  readonly at: number;
  readonly cursor: Cursor;
}

/** The store changed since the run was planned: nothing was started. */
export class Changed extends Error {}

/** The tick has its outcome already, although the cursor is before it: nothing was started. */
export class Taken extends Error {}

/**
 * The claim of a run on its tick: the cursor moves, and the tick has its outcome, in the commit that takes
 * the lock. So a tick has a run or is still undecided, no matter when a process dies.
 *
 * A job file has jobs whose schedule is not in the store. Those have neither cursor nor outcomes. `@ojm/ojob`
 * has its own claim for them, which only records the latest tick.
 */
export class TickClaim implements StartClaim {
  readonly tick: Tick;
  readonly #store: ScheduleStore;
  readonly #plan: (stored: Stored) => Plan | undefined;
  /** The content of the store at the last attempt. */
  stored: Stored;
  /** The writes of the last attempt, if it was applied. */
  planned: Plan;
  /** The id of the run. */
  run = "";
  /** An outcome that a machine with a wrong clock wrote before the time of the tick. */
  #early: FoundOutcome | undefined;

  /**
   * `planned`: the plan from `stored`. `plan`: makes the plan again after the store has changed; `undefined`
   * if nothing is to be started then.
   */
  constructor(store: ScheduleStore, stored: Stored, planned: Plan, plan: (stored: Stored) => Plan | undefined) {
    this.#store = store;
    this.stored = stored;
    this.#plan = plan;
    this.planned = planned;
    this.tick = { schedule: stored.schedule.value.name, at: planned.at };
  }

  ops(run: StartingRun): ChannelOps<unknown>[] {
    const { id } = run;
    this.run = id;
    const { schedule, cursor } = this.stored;
    const { name, revision } = schedule.value;
    const outcome = { at: this.tick.at, value: { outcome: "run", run: id } } as const;
    const found = this.#early;
    const ops: Op<SchedulesValue>[] = [
      { check: scheduleKey(name), version: schedule.version },
      { check: cursorKey(name), version: cursor.version },
      { put: cursorKey(name), value: this.planned.cursor },
      ...(found === undefined
        ? this.#store.tickOps(name, outcome, revision)
        : replaceOps(this.#store, { name, at: this.tick.at, found, run })),
    ];
    return [{ channel: this.#store.channel, ops }, this.#store.maintenance.check(name)] as ChannelOps<unknown>[];
  }

  async refused(): Promise<void> {
    const { schedule: name, at } = this.tick;
    const [{ schedule, cursor }] = await Promise.all([this.#store.read(name), this.#store.maintenance.read()]);
    if (schedule === undefined || cursor === undefined) throw new Changed();
    this.stored = { schedule, cursor };
    const plan = this.#plan(this.stored);
    if (plan?.at !== at) throw new Changed();
    this.planned = plan;
    await this.look();
    if (this.#early === undefined && (await this.#store.tick(name, at)) !== undefined) throw new Taken();
  }

  /**
   * Reads the outcome of the tick if the cursor was set back past it. An outcome that a wrong clock wrote
   * before the time of the tick is replaced, unless it is a run.
   *
   * @throws Taken
   */
  async look(): Promise<void> {
    const { schedule: name, at } = this.tick;
    this.#early = undefined;
    if (at > (this.stored.cursor.value.ahead ?? Number.NEGATIVE_INFINITY)) return;
    const found = await this.#store.outcomeAt(name, at);
    const now = this.#store.clock.now();
    if (found === undefined && at <= passedBefore(this.stored.schedule.value, now)) throw new Taken();
    if (found === undefined) return;
    const clockOfWriter = found.value.decided + TICK_TTL - found.expiresIn;
    const isFinal = found.value.outcome === "run" || !isKnownTick(found.value);
    if (isFinal || clockOfWriter <= now + WRONG_CLOCK) throw new Taken();
    this.#early = found;
  }

  /** The cursor may have moved on: the tick gets the outcome `refused`, and is not tried again. */
  undo({ id }: StartingRun, version: Version): ChannelOps<SchedulesValue>[] {
    const { schedule: name, at } = this.tick;
    const { revision } = this.stored.schedule.value;
    const refused = { at, value: { outcome: "refused", reason: "not-recorded", run: id } } as const;
    const [, ...put] = this.#store.tickOps(name, refused, revision);
    return [{ channel: this.#store.channel, ops: [{ check: tickKey(name, at), version }, ...put] }];
  }
}

/** A request without an answer. */
export interface Request extends Versioned<RequestValue> {
  readonly name: string;
  readonly id: string;
}

/** The writes of a request's claim besides its answer. */
interface More {
  readonly tick: Tick;
  ops(run: StartingRun): readonly Op<SchedulesValue>[];
  /** The writes if the run could not start after all. `version`: that of the writes of `ops`. */
  undo(run: StartingRun, version: Version): readonly Op<SchedulesValue>[];
  /** Reads again the entries that `ops` checks. Resolves to whether the run may still start. */
  holds(): Promise<boolean>;
}

/** The claim of a requested run: the answer is in the commit that takes the lock. */
export class RequestClaim implements StartClaim {
  readonly tick?: Tick;
  readonly #store: ScheduleStore;
  readonly #request: Request;
  readonly #answer: (run: StartingRun) => RequestValue;
  readonly #more: More | undefined;

  constructor(store: ScheduleStore, request: Request, answer: (run: StartingRun) => RequestValue, more?: More) {
    this.#store = store;
    this.#request = request;
    this.#answer = answer;
    this.#more = more;
    if (more !== undefined) this.tick = more.tick;
  }

  ops(run: StartingRun): ChannelOps<unknown>[] {
    const key = requestKey(this.#request.name, this.#request.id);
    const ops: Op<SchedulesValue>[] = [
      { check: key, version: this.#request.version },
      { put: key, value: this.#answer(run), ttl: REQUEST_TTL },
      ...(this.#more?.ops(run) ?? []),
    ];
    const own = { channel: this.#store.channel, ops } as ChannelOps<unknown>;
    // A person who runs a job now may do so during a maintenance. A backfill is no hurry.
    return this.#more === undefined ? [own] : [own, this.#store.maintenance.check(this.#request.name)];
  }

  async refused(): Promise<void> {
    const { name, id, version } = this.#request;
    const entry = await this.#store.channel.entry(requestKey(name, id));
    if (entry?.version !== version) throw new Changed();
    if (this.#more !== undefined) {
      await this.#store.maintenance.read();
      if (this.#store.maintenance.of(name) !== undefined) throw new Changed();
    }
    // An entry that `more` checks has changed: the same ops would fail in every further attempt.
    if (this.#more !== undefined && !(await this.#more.holds())) throw new Changed();
  }

  undo(run: StartingRun, version: Version): ChannelOps<SchedulesValue>[] {
    const { name, id, value } = this.#request;
    const key = requestKey(name, id);
    const ops: Op<SchedulesValue>[] = [
      { check: key, version },
      { put: key, value, ttl: REQUEST_TTL },
      ...(this.#more?.undo(run, version) ?? []),
    ];
    return [{ channel: this.#store.channel, ops }];
  }
}
