import { hostname } from "node:os";
import type { JobManager, RunRecord } from "@ojm/core";
import { isOwn } from "@ojm/core/internal";
import { followSchedules, type LiveSchedules } from "@ojm/schedule";
import { healthOf, type StoreHealth } from "../../ps/health.js";
import { LiveRows } from "../../ps/live-rows.js";
import { LiveFailures } from "./failures.js";
import {
  endOf,
  failedProblem,
  held,
  inOrder,
  isRetried,
  leftProblem,
  onePerJob,
  type Picture,
  type Problem,
  type Scheduled,
  scheduled,
  withLast,
} from "./picture.js";
import { LiveRetries, type Retrying } from "./retries.js";
import { LiveSessions } from "./sessions.js";

/**
 * What was computed of the schedules is shown for so many times as long as that took: ten thousand calendars
 * must not keep the process from its keys.
 */
const FRESH = 20;

/** All that the screen shows of a store, kept up to date by watches. */
export class LiveStore {
  readonly #store: string;
  readonly #manager: JobManager;
  readonly #onChange: () => void;
  readonly #runs: LiveRows;
  readonly #sessions: LiveSessions;
  readonly #retries: LiveRetries;
  readonly #failures: LiveFailures;
  readonly #health: StoreHealth;
  /** The jobs whose failure is a problem, and since when that is known. */
  #failing: ReadonlyMap<string, number> = new Map();
  #schedules: LiveSchedules | undefined;
  #scheduled: Scheduled | undefined;
  #freshUntil = 0;

  /** `store`: how the store is called, without a password. */
  constructor(store: string, manager: JobManager, onChange: () => void) {
    this.#store = store;
    this.#manager = manager;
    this.#onChange = onChange;
    const changed = (): void => this.#changed();
    this.#runs = new LiveRows(manager, changed);
    this.#sessions = new LiveSessions(manager, changed);
    this.#retries = new LiveRetries(manager, changed);
    this.#failures = new LiveFailures(manager, onChange);
    this.#health = healthOf(manager, onChange);
  }

  /** Follows the store until the signal fires. */
  async follow(signal: AbortSignal): Promise<void> {
    this.#health.begin();
    this.#failures.changed();
    try {
      await Promise.all([
        this.#runs.follow(signal),
        this.#sessions.follow(signal),
        this.#retries.follow(signal),
        followSchedules(this.#manager, { signal, changed: () => this.#changed() }).then((live) => {
          this.#schedules = live;
          this.#onChange();
        }),
      ]);
    } finally {
      this.#health.end();
      this.#failures.end();
    }
  }

  /** What is known at `now`. */
  picture(now: number): Picture {
    const { schedules, next, problems } = this.#scheduledAt(now);
    const processes = new Set(this.#sessions.processes());
    for (const { by } of this.#schedules?.schedulers() ?? []) processes.add(`${by.host} ${by.pid}`);
    // This process has a session too once it has asked for something.
    processes.delete(`${hostname()} ${process.pid}`);
    const running = this.#runs.rows(now).filter(({ name }) => !isOwn(name));
    const retrying = this.#retries.all().filter(({ name }) => !isOwn(name));
    const failed = this.#failed({ running, retrying }, now);
    const left = retrying.filter((one) => this.#isLeft(one));
    return {
      store: this.#store,
      isComplete: this.#runs.isComplete && this.#schedules !== undefined,
      away: this.#health.away(now),
      processes: processes.size,
      waiting: this.#runs.waiting,
      failed: this.#failures.count(now),
      schedules,
      problems: onePerJob(
        inOrder([
          ...failed.map((run) => failedProblem(run, this.#failing.get(run.name))),
          ...this.#withLast(problems, [...failed, ...running]),
          ...left.map((one) => leftProblem(one, one.due < now ? one.due : undefined)),
          ...this.#held(now),
        ]),
      ),
      running,
      retrying,
      next,
    };
  }

  /**
   * The failures that are problems. That of a job stays one until a run goes well, also while it is tried
   * again: a row that comes and goes moves all others.
   */
  #failed(shown: Pick<Picture, "running" | "retrying">, now: number): readonly RunRecord[] {
    const open = this.#failures.open(now);
    const failed = open.filter((run) => this.#failing.has(run.name) || !isRetried(run, shown, now));
    this.#failing = new Map(failed.map((run) => [run.name, this.#failing.get(run.name) ?? endOf(run)]));
    return failed;
  }

  /** A job that was killed, and that nobody runs since, has no failure of the last hour. */
  #withLast(problems: readonly Problem[], shown: readonly { readonly name: string }[]): Problem[] {
    const alone = problems.flatMap(({ name, what }) => (what === "nobody" ? [name] : []));
    const last = this.#failures.lastOf(alone);
    const told = new Set(shown.map(({ name }) => name));
    return problems.map((problem) => withLast(problem, last.get(problem.name), told));
  }

  /** Whether nobody makes an attempt: a living scheduler of the name would. */
  #isLeft({ name, by }: Retrying): boolean {
    if (by !== undefined && !this.#sessions.isOver(by)) return false;
    return this.#schedules?.schedulers().some(({ schedules }) => schedules.has(name)) === false;
  }

  #held(now: number): Problem[] {
    return this.#schedules === undefined ? [] : held(this.#schedules.holds(), now);
  }

  #changed(): void {
    this.#health.heard();
    this.#failures.changed();
    this.#onChange();
  }

  #scheduledAt(now: number): Scheduled {
    if (this.#schedules === undefined) return { schedules: new Map(), problems: [], next: [] };
    const begin = performance.now();
    if (this.#scheduled !== undefined && begin < this.#freshUntil) return this.#scheduled;
    this.#scheduled = scheduled(this.#schedules.schedules(), this.#schedules.schedulers(), now);
    const end = performance.now();
    this.#freshUntil = end + FRESH * (end - begin);
    return this.#scheduled;
  }
}
