import { isChannelError } from "@ojm/core";
import type { Due, Timetable } from "@ojm/schedule/internal";
import type { Args } from "../../load/job-file.js";
import { type PlannedJob, timeZoneOf } from "../../plan/planned.js";
import { hasScheduleWords, type NamedRun, namedRuns, scheduleNames } from "../../plan/schedules.js";
import type { Request } from "../dispatch/requests.js";
import type { Engine } from "../engine.js";
import { FileScheduler, type JobSchedule, ScheduledRuns, triggerOf } from "./file-scheduler.js";
import { LATE } from "./tick-log.js";

/** Requests periodic jobs when due. Schedules of managed jobs with known names are in the store. */
export class Schedules {
  readonly #engine: Engine;
  readonly #runs: ScheduledRuns;
  #shared: Promise<FileScheduler> | undefined;
  #alone: Promise<FileScheduler> | undefined;
  readonly #counts = new Map<string, number>();
  readonly #names = new Set<string>();
  /** How many schedules of the file have each name. */
  #planned: ReadonlyMap<string, number> | undefined;
  #leave: (() => void)[] = [];
  /** Created on demand: most files have no schedule, and start faster without the package. */
  #timetable: Timetable | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#runs = new ScheduledRuns(engine);
  }

  async begin(job: PlannedJob, given: readonly Args[]): Promise<void> {
    const count = (this.#counts.get(job.name) ?? 0) + 1;
    this.#counts.set(job.name, count);
    const name = count === 1 ? job.name : `${job.name}#${count}`;
    const { plan, dispatch } = this.#engine;
    const leave = plan.settings.daemon === false ? () => {} : dispatch.expectMore();
    this.#leave.push(leave);
    try {
      await this.#begin(job, given, name);
    } catch (error) {
      leave();
      throw error;
    }
  }

  stop(): void {
    this.#runs.stop();
    this.#timetable?.stop();
    for (const scheduler of [this.#shared, this.#alone]) void scheduler?.then((opened) => opened.close());
    for (const leave of this.#leave.splice(0)) leave();
  }

  async ended(): Promise<void> {
    this.stop();
    await (await this.#shared)?.close();
    await this.#runs.idle();
    await (await this.#alone)?.end();
  }

  async #begin(job: PlannedJob, given: readonly Args[], name: string): Promise<void> {
    if (await this.#inStore(job, this.#named(job, given))) return;
    if (!hasScheduleWords(job.typeArgs)) return this.#beginHere({ job, given, name });
    this.#alone ??= FileScheduler.open(this.#engine, this.#runs);
    await (await this.#alone).add({ job, given, name });
  }

  /** The runs of each tick, if each of them can have a schedule in the store. */
  #named(job: PlannedJob, given: readonly Args[]): readonly NamedRun[] {
    const { plan, commandLine, log } = this.#engine;
    const runs = namedRuns(job, given, { jobs: plan.jobs, commandLine });
    if (typeof runs === "string") return [];
    this.#planned ??= scheduleNames(plan, commandLine);
    const isFree = ({ name }: NamedRun): boolean => {
      const isOnly = (this.#planned?.get(name) ?? 0) <= 1 && !this.#names.has(name);
      // The job itself rejects a name that contains a secret.
      return isOnly && log.mask(name) === name;
    };
    return runs.every(isFree) ? runs : [];
  }

  /** Puts the schedules of a job into the store. False if they cannot be there. */
  async #inStore(job: PlannedJob, runs: readonly NamedRun[]): Promise<boolean> {
    // Without a manager, each run fails and reports the reason.
    const manager = runs.length === 0 ? undefined : await this.#engine.runtime.managers.get().catch(() => undefined);
    if (manager === undefined) return false;
    this.#shared ??= FileScheduler.open(this.#engine, this.#runs, manager);
    const scheduler = await this.#shared;
    try {
      for (const { name, timeout, taking, own, given } of runs) {
        this.#names.add(name);
        await scheduler.add({ job, given: [given], own, name, timeout, taking });
      }
      return true;
    } catch (error) {
      // A Redis Cluster with each channel on a node of its own.
      if (isChannelError(error) && error.code === "NOT_SUPPORTED") return false;
      throw error;
    }
  }

  /** Requests a job whenever it is due by the clock of this process. The ticks are not in a store. */
  async #beginHere(schedule: JobSchedule): Promise<void> {
    const [calendar, { Timetable }] = await Promise.all([import("@ojm/schedule"), import("@ojm/schedule/internal")]);
    const { clock } = this.#engine.runtime;
    const { typeArgs } = schedule.job;
    const { cron, timeInterval = 0 } = typeArgs;
    const now = cron === undefined ? () => clock.monotonic() : () => clock.now();
    const times =
      cron === undefined
        ? calendar.intervalSchedule(timeInterval, clock.monotonic())
        : calendar.cronSchedule(cron, timeZoneOf(typeArgs, this.#engine.plan.settings));
    const one: Scheduled = { ...schedule, now, latest: undefined };
    this.#timetable ??= new Timetable(clock);
    this.#timetable.add(times, now, (due) => this.#due(one, due));
  }

  #due(one: Scheduled, due: Due): void {
    const { job, given, name, latest } = one;
    const trigger = triggerOf(job);
    const { dispatch } = this.#engine;
    const at = this.#instant(one, due.at);
    this.#announce(one, due);
    const open = latest !== undefined && latest.outcome === undefined ? latest : undefined;
    const { waitForFinish, lock } = job.typeArgs;
    // A run that waits for its turn starts soon, and more runs behind it would fill the memory of a daemon. A
    // run that needs the lock of the previous one would only hold a slot.
    if (open && (waitForFinish === true || lock !== undefined || open.giveUp !== undefined)) {
      const what = open.giveUp === undefined ? "is still running" : "has not begun";
      this.#engine.tickSkipped(job.name, at, `the run before it ${what}`);
      return;
    }
    const tick = { schedule: name, at, isClaimed: trigger === "cron" };
    [one.latest] = dispatch.submit({ job, given, trigger, tick });
  }

  /** Warns of missed ticks: the log must show why a nightly report is missing. */
  #announce(one: Scheduled, { at, since, missed }: Due): void {
    const late = one.now() - at;
    if (missed === 0 && late < LATE) return;
    const iso = (instant: number): string => new Date(this.#instant(one, instant)).toISOString();
    const more = missed >= 100 ? "100 or more ticks" : missed === 1 ? "one tick" : `${missed} ticks`;
    const lost = missed === 0 ? "" : ` It replaces ${more} from ${iso(since)} on, which are not run.`;
    const why = "this process slept or was held up, or the clock was put forward";
    this.#engine.log.line("WARN", `"${one.job.name}" has been due since ${iso(at)}: ${why}.${lost}`);
  }

  /** Converts a tick to wall-clock time: the ticks of an interval are on the monotonic clock. */
  #instant({ now }: Scheduled, tick: number): number {
    return Math.round(this.#engine.runtime.clock.now() + tick - now());
  }
}

/** A schedule whose ticks are not in a store, and its latest request. */
interface Scheduled extends JobSchedule {
  readonly now: () => number;
  latest: Request | undefined;
}
