import type { Clock } from "@ojm/core";
import type { Due, Schedule, Timetable } from "@ojm/schedule";
import type { Args, Settings } from "../../load/job-file.js";
import type { Log } from "../../output/log.js";
import type { PlannedJob } from "../../plan/planned.js";
import { timeZoneOf } from "../../plan/settings.js";
import type { Dispatch } from "../dispatch/dispatch.js";
import type { Request } from "../dispatch/requests.js";

/** A run that is later than this, in ms, gets a warning: the process slept, or the clock was set forward. */
const LATE = 60_000;

type Calendar = typeof import("@ojm/schedule");

/** One schedule of a job. An item of the todo has begun it. */
interface Scheduled {
  readonly job: PlannedJob;
  readonly given: readonly Args[];
  readonly schedule: Schedule;
  readonly trigger: "cron" | "interval";
  /** The clock that the schedule uses. */
  readonly now: () => number;
  /** The name by which its ticks are claimed. It is the same in every process that runs this file. */
  readonly name: string;
  latest: Request | undefined;
}

/** What schedules need of the engine. */
export interface ScheduleHost {
  readonly settings: Settings;
  readonly dispatch: Dispatch;
  readonly log: Log;
  readonly runtime: { readonly clock: Clock };
  /** Shows why a job did not run for a tick of its schedule. */
  tickSkipped(job: string, at: number, reason: string): void;
}

/** Requests the periodic jobs whenever they are due. */
export class Schedules {
  readonly #host: ScheduleHost;
  /** Made when it is needed: most files have no schedule, and start sooner without the package. */
  #timetable: Timetable | undefined;
  /** How many schedules each job has. */
  readonly #counts = new Map<string, number>();
  #leave: (() => void)[] = [];

  constructor(host: ScheduleHost) {
    this.#host = host;
  }

  /** Runs the job at each tick of its schedule, from now on. */
  async begin(job: PlannedJob, given: readonly Args[]): Promise<void> {
    const count = (this.#counts.get(job.name) ?? 0) + 1;
    this.#counts.set(job.name, count);
    const name = count === 1 ? job.name : `${job.name}#${count}`;
    const { settings, dispatch, runtime } = this.#host;
    const calendar = await import("@ojm/schedule");
    const one: Scheduled = { job, given, name, latest: undefined, ...this.#scheduleOf(job, calendar) };
    if (settings.daemon !== false) this.#leave.push(dispatch.expectMore());
    this.#timetable ??= new calendar.Timetable(runtime.clock);
    this.#timetable.add(one.schedule, one.now, (due) => this.#due(one, due));
  }

  /** Ends all schedules. */
  stop(): void {
    this.#timetable?.stop();
    for (const leave of this.#leave.splice(0)) leave();
  }

  #scheduleOf({ typeArgs }: PlannedJob, calendar: Calendar): Pick<Scheduled, "schedule" | "trigger" | "now"> {
    const { clock } = this.#host.runtime;
    const { cron, timeInterval = 0 } = typeArgs;
    if (cron === undefined) {
      const schedule = calendar.intervalSchedule(timeInterval, clock.monotonic());
      return { schedule, trigger: "interval", now: () => clock.monotonic() };
    }
    const zone = timeZoneOf(typeArgs, this.#host.settings);
    return { schedule: calendar.cronSchedule(cron, zone), trigger: "cron", now: () => clock.now() };
  }

  #due(one: Scheduled, due: Due): void {
    const { job, given, trigger, name, latest } = one;
    const { dispatch } = this.#host;
    const at = this.#instant(one, due.at);
    this.#announce(one, due);
    const open = latest !== undefined && latest.outcome === undefined ? latest : undefined;
    if (open !== undefined && mustWait(one, open)) {
      const what = open.giveUp === undefined ? "is going on" : "has not begun";
      this.#host.tickSkipped(job.name, at, `the run before it ${what}`);
      return;
    }
    [one.latest] = dispatch.submit({ job, given, trigger, tick: { schedule: name, at, isClaimed: trigger === "cron" } });
  }

  /** Warns of missed ticks: a night without its report must be found in the log. */
  #announce(one: Scheduled, { at, since, missed }: Due): void {
    const late = one.now() - at;
    if (missed === 0 && late < LATE) return;
    const iso = (instant: number): string => new Date(this.#instant(one, instant)).toISOString();
    const more = missed >= 100 ? "100 or more ticks" : missed === 1 ? "one tick" : `${missed} ticks`;
    const lost = missed === 0 ? "" : ` It makes up for ${more} from ${iso(since)} on, which are not run.`;
    const why = "this process slept or was held up, or the clock was put forward";
    this.#host.log.line("WARN", `"${one.job.name}" is due since ${iso(at)}: ${why}.${lost}`);
  }

  /** Converts a tick to wall-clock time: the ticks of an interval are on the monotonic clock. */
  #instant({ now }: Scheduled, tick: number): number {
    return Math.round(this.#host.runtime.clock.now() + tick - now());
  }
}

/**
 * Whether a tick is skipped while the run before it is open. A run that waits for its turn starts soon, and
 * more runs behind it would fill the memory of a daemon. A run that needs the lock of the one before it would
 * only hold a slot.
 */
function mustWait({ job }: Scheduled, open: Request): boolean {
  return job.typeArgs.waitForFinish === true || job.typeArgs.lock !== undefined || open.giveUp !== undefined;
}
