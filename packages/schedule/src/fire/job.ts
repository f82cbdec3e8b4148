import { compareVersions, isChannelError, isRunError, type RunError } from "@ojm/core";
import { inBackground, visible } from "@ojm/core/internal";
import type { Alarm } from "../alarms.js";
import { pauseAfterFailures } from "../control/pause.js";
import { blocked, type Decision, decide, type State } from "../decide/decide.js";
import { cursorAt, heldEvidence, type Moved, one, type Why } from "../decide/outcomes.js";
import type { StoredSchedule } from "../store/schema.js";
import type { Found, Stored, Versioned } from "../store/store.js";
import { warn } from "../warn.js";
import { Changed, type Plan, Taken, TickClaim } from "./claim.js";
import { type Host, type OwnSchedule, startTick } from "./start.js";
import { findCursor, findLost, Succession } from "./succession.js";
import { WaitingRuns } from "./waiting-runs.js";

/** How long the second of the members waits for the first to decide a tick, in ms. */
export const GRACE = 1_000;

/** The rank of a process that does not take part. */
const NONE = Number.POSITIVE_INFINITY;

/** The pauses after calls that failed, in ms. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** The outcome of a tick whose run was rejected; `undefined` if its claim may be in the store. */
function refusal(state: State, at: number, { code, message, held, permit, rate }: RunError): Moved | undefined {
  if (code === "LOCKED") return blocked(state, at, heldEvidence(held), permit ?? rate);
  // The run ended after it took its lock and before its body began: its claim may be in the store.
  if (code !== "INVALID") return undefined;
  const why: Why = { outcome: "refused", reason: "invalid", evidence: { error: message } };
  return { cursor: cursorAt(state.cursor, at, state.cursor.waiting), ticks: [one(at, why)] };
}

type Start = Extract<Decision, { type: "start" }>;

/** A schedule of this process: decides its ticks, if this process is the first or second member. */
export class ScheduledJob implements Alarm {
  readonly own: OwnSchedule;
  readonly #host: Host;
  /** Created on demand: a process may have ten thousand schedules, and most of them never need these two. */
  #waiting: WaitingRuns | undefined;
  #succession: Succession | undefined;
  #schedule: Versioned<StoredSchedule> | undefined;
  #cursor: Stored["cursor"] | undefined;
  #rank = NONE;
  #acting: Promise<void> | undefined;
  #again = false;
  /** Whether the store rejected a commit: the schedule may have changed. */
  #isStale = false;
  #over = false;
  #pause = FIRST_PAUSE;
  /** The last known schedule. */
  #known: StoredSchedule;
  /** Whether the schedule was searched for without success. */
  #isGone = false;

  constructor(host: Host, own: OwnSchedule, { schedule, cursor }: Found) {
    this.own = own;
    this.#host = host;
    this.#schedule = schedule;
    this.#cursor = cursor;
    this.#known = schedule.value;
  }

  /** The place of this process among the members that can run it: 0 is the first. */
  get rank(): number {
    return this.#over ? NONE : this.#rank;
  }

  onDue(): void {
    this.act();
  }

  /** Called when the entry of the schedule changed. */
  scheduleChanged(schedule: Versioned<StoredSchedule> | undefined): void {
    const known = this.#schedule?.version ?? "0";
    // This process may have read a newer version than the watch reports.
    if (schedule !== undefined && compareVersions(schedule.version, known) <= 0) return;
    this.#schedule = schedule;
    this.#cursor = undefined;
    if (schedule !== undefined) this.#known = schedule.value;
    this.#isGone = false;
    this.act();
  }

  /** Called when another member that can run the schedule came or left. */
  membersChanged(): void {
    const { name, hash } = this.own;
    const isCurrent = this.#schedule?.value.hash === hash;
    const rank = this.#host.members.rank(name, hash);
    // Only the first two members act. Of fifty processes, most are outside the first two before and after.
    if (!isCurrent || (rank !== this.#rank && Math.min(rank, this.#rank) <= 1)) this.act();
  }

  /** Decides all due ticks, and sets the alarm for the next one. One call at a time. */
  act(): void {
    if (this.#over) return;
    if (this.#acting !== undefined) {
      this.#again = true;
      return;
    }
    this.#acting = inBackground(() => this.#act()).finally(() => {
      this.#acting = undefined;
      if (this.#again) this.act();
    });
  }

  async close(): Promise<void> {
    this.#over = true;
    this.#host.alarms.delete(this);
    this.#waiting?.stop();
    await this.#acting;
  }

  async #act(): Promise<void> {
    this.#again = false;
    try {
      while (!this.#over && (await this.#step())) {}
      this.#pause = FIRST_PAUSE;
    } catch (error) {
      this.#cursor = undefined;
      this.#host.alarms.set(this, this.#host.store.clock.now() + this.#pause);
      this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause);
      if (!isChannelError(error)) throw error;
      if (error.code === "CLOSED") this.#host.stop();
    }
  }

  /** Resolves to whether there may be more to do at once. */
  async #step(): Promise<boolean> {
    const { members, alarms, store, began } = this.#host;
    const { name, hash } = this.own;
    if (this.#schedule?.value.hash !== hash) {
      this.#rest();
      return this.#schedule === undefined ? this.#find() : this.#succeed(this.#schedule.value);
    }
    this.#succession = undefined;
    const rank = members.rank(name, hash);
    if (rank !== this.#rank) {
      // Without an earlier rank, a known cursor was read just now: keep it.
      if (this.#rank !== NONE) this.#cursor = undefined;
      this.#rank = rank;
      if (rank === 0) this.#host.onLead(name);
    }
    if (rank > 1) {
      this.#rest();
      return false;
    }
    const stored = await this.#load();
    if (stored === undefined) return false;
    // The second member acts a moment later, so it decides only the ticks that the first has left undecided.
    const behind = rank === 0 ? 0 : GRACE;
    const now = store.clock.now() - behind;
    const maintenance = store.maintenance.of(name, now);
    const state = { schedule: stored.schedule.value, cursor: stored.cursor.value, now, began, maintenance };
    const decision = decide(state);
    if (rank > 0) this.#waiting?.stop();
    else if ((state.cursor.waiting ?? []).length > 0) this.#runWaiting();
    if (decision.type === "wait") {
      alarms.set(this, decision.due + behind);
      if (rank > 0) this.#cursor = undefined;
      return false;
    }
    await this.#perform(stored, state, decision);
    return true;
  }

  async #perform(stored: Stored, state: State, decision: Exclude<Decision, { type: "wait" }>): Promise<void> {
    if (decision.type === "start") return this.#start(stored, state, decision);
    if (decision.type === "settle") return this.#settle(stored, decision);
    const ahead = new Date(stored.cursor.value.at).toISOString();
    warn(
      `the ticks of "${visible(this.own.name)}" were decided up to ${ahead}, by a machine with a wrong clock. They are decided from now on; what was run is not run again.`,
    );
    await this.#settle(stored, { cursor: decision.cursor, ticks: [] });
  }

  async #settle(stored: Stored, { cursor, ticks }: Moved): Promise<void> {
    const settled = await this.#host.store.settle(stored, cursor, ticks);
    if (settled === undefined) return this.#found(undefined);
    this.#cursor = settled;
    this.#host.publishTicks(this.own.name, ticks);
  }

  async #start(stored: Stored, state: State, decision: Start): Promise<void> {
    const { schedule } = stored;
    if (await pauseAfterFailures(this.#host, schedule)) return this.#found(undefined);
    await this.#host.attemptsFirst(this.own);
    if (this.#over) return;
    const plan = (found: Stored): Plan | undefined => {
      const maintenance = this.#host.store.maintenance.of(this.own.name, state.now);
      const again = decide({ ...state, maintenance, schedule: found.schedule.value, cursor: found.cursor.value });
      return again.type === "start" ? { at: again.at, cursor: again.cursor } : undefined;
    };
    const claim = new TickClaim(this.#host.store, stored, decision, plan);
    try {
      const started = await this.#host.starts.during(async () =>
        this.#over ? undefined : startTick(this.#host, this.own, claim, { wait: 0 }),
      );
      if (started === undefined) return;
      const { version, ended } = started;
      this.#cursor = { value: claim.planned.cursor, version };
      // The run may reach the limit of failures.
      void ended.catch(() => inBackground(() => pauseAfterFailures(this.#host, this.#schedule ?? schedule)));
    } catch (error) {
      if (error instanceof Changed) return this.#found(undefined);
      const { stored: latest } = claim;
      if (error instanceof Taken) return this.#settle(latest, { cursor: decision.cursor, ticks: [] });
      if (!isRunError(error)) throw error;
      const refused = refusal({ ...state, cursor: latest.cursor.value }, decision.at, error);
      return refused === undefined ? this.#found(undefined) : this.#settle(latest, refused);
    }
  }

  /** Handles a missing entry of the schedule. Resolves to whether it is there again. */
  async #find(): Promise<boolean> {
    if (this.#isGone) return false;
    const stored = await findLost(this.#host, this.own, this.#known);
    this.#isGone = stored === undefined;
    if (stored !== undefined) this.#found(stored);
    return stored !== undefined;
  }

  async #succeed(schedule: StoredSchedule): Promise<boolean> {
    this.#succession ??= new Succession(this.#host, this.own);
    const found = await this.#succession.look(schedule);
    if (typeof found === "number") this.#host.alarms.set(this, found);
    else if (found !== undefined) this.#found(found);
    return typeof found === "object";
  }

  #runWaiting(): void {
    this.#waiting ??= new WaitingRuns(this.#host, this.own, {
      stored: () => this.#load(),
      found: (found) => this.#found(found),
      moved: (cursor) => {
        this.#cursor = cursor;
      },
      taken: (found, plan) => this.#settle(found, { cursor: plan.cursor, ticks: [] }),
    });
    this.#waiting.begin();
  }

  #found(stored: Found | undefined): void {
    this.#cursor = stored?.cursor;
    if (stored !== undefined) {
      this.#schedule = stored.schedule;
      this.#known = stored.schedule.value;
    } else {
      this.#isStale = true;
      this.#again = true;
    }
  }

  async #load(): Promise<Stored | undefined> {
    const { store } = this.#host;
    if (this.#schedule !== undefined && this.#cursor !== undefined)
      return { schedule: this.#schedule, cursor: this.#cursor };
    const { name } = this.own;
    // The schedule is watched, so read only the cursor: the second member does this for each tick.
    const known = this.#isStale ? undefined : this.#schedule;
    const found = known === undefined ? await store.read(name) : { schedule: known, cursor: await store.cursor(name) };
    this.#isStale = false;
    const { schedule, cursor } = found;
    this.#schedule = schedule;
    this.#cursor = cursor;
    if (schedule === undefined) return undefined;
    this.#known = schedule.value;
    if (cursor !== undefined) return { schedule, cursor };
    const restored = await findCursor(this.#host, schedule.value);
    if (restored !== undefined) this.#found(restored);
    return restored;
  }

  #rest(): void {
    this.#rank = NONE;
    this.#cursor = undefined;
    this.#waiting?.stop();
    this.#host.alarms.delete(this);
  }
}
