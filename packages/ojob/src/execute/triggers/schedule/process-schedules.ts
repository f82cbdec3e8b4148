import type { Schedule } from "@ojm/schedule";
import type { Due, Timetable } from "@ojm/schedule/internal";
import { timeZoneOf } from "../../../plan/settings.js";
import type { Request } from "../../dispatch/requests.js";
import { type JobSchedule, type ScheduleHost, triggerOf } from "./host.js";

/** A run that is later than this, in ms, gets a warning: the process slept, or the clock was set forward. */
const LATE = 60_000;

type Calendar = typeof import("@ojm/schedule");

/** A schedule of this process. */
interface Scheduled extends JobSchedule {
  readonly schedule: Schedule;
  /** The clock that the schedule uses. */
  readonly now: () => number;
  latest: Request | undefined;
}

/** Requests jobs whenever they are due by the clock of this process. No store knows of their ticks. */
export class ProcessSchedules {
  readonly #host: ScheduleHost;
  /** Made when it is needed: most files have no schedule, and start sooner without the package. */
  #timetable: Timetable | undefined;

  constructor(host: ScheduleHost) {
    this.#host = host;
  }

  /** Runs the job at each tick of its schedule, from now on. */
  async begin(schedule: JobSchedule): Promise<void> {
    const [calendar, { Timetable }] = await Promise.all([import("@ojm/schedule"), import("@ojm/schedule/internal")]);
    const one: Scheduled = { ...schedule, latest: undefined, ...this.#scheduleOf(schedule, calendar) };
    this.#timetable ??= new Timetable(this.#host.runtime.clock);
    this.#timetable.add(one.schedule, one.now, (due) => this.#due(one, due));
  }

  /** Ends all schedules. */
  stop(): void {
    this.#timetable?.stop();
  }

  #scheduleOf({ job: { typeArgs } }: JobSchedule, calendar: Calendar): Pick<Scheduled, "schedule" | "now"> {
    const { clock } = this.#host.runtime;
    const { cron, timeInterval = 0 } = typeArgs;
    if (cron === undefined) {
      const schedule = calendar.intervalSchedule(timeInterval, clock.monotonic());
      return { schedule, now: () => clock.monotonic() };
    }
    const zone = timeZoneOf(typeArgs, this.#host.settings);
    return { schedule: calendar.cronSchedule(cron, zone), now: () => clock.now() };
  }

  #due(one: Scheduled, due: Due): void {
    const { job, given, name, latest } = one;
    const trigger = triggerOf(job);
    const { dispatch } = this.#host;
    const at = this.#instant(one, due.at);
    this.#announce(one, due);
    const open = latest !== undefined && latest.outcome === undefined ? latest : undefined;
    if (open !== undefined && mustWait(one, open)) {
      const what = open.giveUp === undefined ? "is going on" : "has not begun";
      this.#host.tickSkipped(job.name, at, `the run before it ${what}`);
      return;
    }
    [one.latest] = dispatch.submit({
      job,
      given,
      trigger,
      tick: { schedule: name, at, isClaimed: trigger === "cron" },
    });
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
