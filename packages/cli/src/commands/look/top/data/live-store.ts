import { hostname } from "node:os";
import { isChannelError, type JobManager } from "@ojm/core";
import { isOwn } from "@ojm/core/internal";
import type { NextTick } from "@ojm/schedule";
import type { Problem, Retry } from "@ojm/schedule/operator";
import { otherReasons } from "../../../exec/other-reasons.js";
import { healthOf, type StoreHealth } from "../../ps/health.js";
import { LiveRows } from "../../ps/live-rows.js";
import type { Running } from "../../ps/running.js";
import type { ComingTick } from "../../unattended.js";

const HOUR = 3_600_000;

/** The most failures that are counted: an hour of a job that fails each second must not delay the screen. */
const FAILURES_LIMIT = 100;

/** The shortest pause between two reads, in ms. */
const REST = 1_000;

/** A coming tick. */
export interface Coming extends ComingTick, Pick<NextTick, "due"> {
  readonly name: string;
}

/** The state of a store at one time. */
export interface StoreSnapshot {
  /** The name of the store. */
  readonly store: string;
  readonly isComplete: boolean;
  /** For how long the store has not answered, in ms. */
  readonly away: number | undefined;
  readonly processes: number;
  readonly waiting: number;
  readonly failed: { readonly count: number; readonly isMore: boolean };
  /** The schedules by name, and whether each is paused. */
  readonly schedules: ReadonlyMap<string, boolean>;
  readonly problems: readonly Problem[];
  readonly running: readonly Running[];
  /** The ids of the runs that take longer than usual. */
  readonly long: ReadonlySet<string>;
  readonly retrying: readonly Retry[];
  readonly next: readonly Coming[];
}

/** All that the screen shows of a store, kept up to date by watches. */
export class LiveStore {
  readonly #store: string;
  readonly #manager: JobManager;
  readonly #onChange: () => void;
  readonly #health: StoreHealth;
  readonly #rows: LiveRows;
  /** When runs failed in the last hour. */
  #failures: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #isStale = false;
  #isOver = false;

  /** `store`: the name of the store, without a password. */
  constructor(store: string, manager: JobManager, onChange: () => void) {
    this.#store = store;
    this.#manager = manager;
    this.#onChange = onChange;
    this.#health = healthOf(manager, onChange);
    const orphans = (running: ReadonlySet<string>) => otherReasons(manager, undefined, running);
    this.#rows = new LiveRows(manager, { changed: () => this.#changed(), orphans });
  }

  /** Follows the store until the signal fires. Rejects if the store cannot be followed at all. */
  async follow(signal: AbortSignal): Promise<void> {
    this.#health.begin();
    try {
      await this.#rows.follow(signal);
    } finally {
      this.#isOver = true;
      this.#health.end();
      clearTimeout(this.#timer);
    }
  }

  /** The state of the store at `now`. */
  snapshot(now: number): StoreSnapshot {
    const { store: live, isComplete } = this.#rows;
    const { retries = [], schedules = [], schedulers = [], waiting, problems = [] } = live?.known(now) ?? {};
    const processes = new Set<string>();
    for (const { host, pid, hold } of live?.runs.sessions() ?? []) if (!hold) processes.add(`${host} ${pid}`);
    for (const { by } of schedulers) processes.add(`${by.host} ${by.pid}`);
    // This process has a session too once it has read from the store.
    processes.delete(`${hostname()} ${process.pid}`);
    const failures = this.#failures.filter((time) => time >= now - HOUR).length;
    return {
      store: this.#store,
      isComplete,
      away: this.#health.away(now),
      processes: processes.size,
      waiting: [...(waiting?.values() ?? [])].reduce((sum, count) => sum + count, 0),
      failed: { count: failures, isMore: failures === FAILURES_LIMIT },
      schedules: new Map(schedules.map(({ schedule, paused }) => [schedule.name, paused !== undefined])),
      problems: onePerJob(problems),
      running: this.#rows.rows(now).filter(({ name }) => !isOwn(name)),
      long: new Set(problems.flatMap(({ kind, run }) => (kind === "long" && run !== undefined ? [run] : []))),
      retrying: retries.filter(({ name }) => !isOwn(name)),
      next: schedules
        .flatMap(({ schedule: { name }, unattended, next }) =>
          next === undefined ? [] : [{ name, ...next, ...(unattended && { unattended: true as const }) }],
        )
        .sort((a, b) => a.due - b.due),
    };
  }

  #changed(): void {
    this.#health.heard();
    this.#isStale = true;
    this.#onChange();
    if (this.#isOver || !this.#rows.isComplete || this.#isReading || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#read();
    }, REST);
  }

  /** Reads what no watch reports, only after changes: a quiet store is not read. */
  async #read(): Promise<void> {
    this.#isReading = true;
    this.#isStale = false;
    try {
      await this.#rows.store?.fresh();
      const times: number[] = [];
      for await (const { name, status, startTime, endTime = startTime } of this.#manager.failedRuns({
        from: Date.now() - HOUR,
        limit: FAILURES_LIMIT,
      })) {
        // A user wanted a cancelled run to end.
        if (status !== "cancelled" && !isOwn(name)) times.push(endTime);
      }
      this.#failures = times;
    } catch (error) {
      // StoreHealth reports an unreachable store. Its return comes as a change, which reads again.
      if (!isChannelError(error)) throw error;
    } finally {
      this.#isReading = false;
    }
    this.#onChange();
    if (this.#isStale) this.#changed();
  }
}

/** One row for each job: its first problem, followed by its other problems. */
export function onePerJob(problems: readonly Problem[]): Problem[] {
  const jobs = new Map<string, Problem>();
  for (const problem of problems) {
    const first = jobs.get(problem.name);
    jobs.set(problem.name, first === undefined ? problem : { ...first, text: `${first.text}; ${problem.text}` });
  }
  return [...jobs.values()];
}
