import type { Args } from "../load/jobfile.js";
import type { PlannedJob } from "../plan/plan.js";
import type { Schedule } from "../schedule/schedule.js";
import { type Due, Timetable } from "../schedule/timetable.js";
import type { Engine } from "./engine.js";
import type { Request } from "./requests.js";

/** A run that comes later than this, in ms, is announced: the process slept, or the clock was put forward. */
const LATE = 60_000;

/** One schedule of a job, as an item of the todo began it. */
interface Scheduled {
  readonly job: PlannedJob;
  readonly given: readonly Args[];
  readonly schedule: Schedule;
  readonly trigger: "cron" | "interval";
  /** The clock that the schedule goes by. */
  readonly now: () => number;
  /** What its ticks are claimed by: the same in every process that runs this file. */
  readonly name: string;
  latest: Request | undefined;
}

/** Asks for runs of the periodic jobs whenever they are due. */
export class Schedules {
  readonly #engine: Engine;
  readonly #timetable: Timetable;
  /** How many schedules each job has. */
  readonly #counts = new Map<string, number>();
  #leave: (() => void)[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#timetable = new Timetable(engine.shared.clock);
  }

  /** From now on, the job runs at each tick of its schedule. */
  async begin(job: PlannedJob, given: readonly Args[]): Promise<void> {
    const count = (this.#counts.get(job.name) ?? 0) + 1;
    this.#counts.set(job.name, count);
    const name = count === 1 ? job.name : `${job.name}#${count}`;
    const one: Scheduled = { job, given, name, latest: undefined, ...(await this.#scheduleOf(job)) };
    const { settings, dispatch } = this.#engine;
    if (settings.daemon !== false) this.#leave.push(dispatch.expectMore());
    this.#timetable.add(one.schedule, one.now, (due) => this.#due(one, due));
  }

  /** No tick comes any more. */
  stop(): void {
    this.#timetable.stop();
    for (const leave of this.#leave.splice(0)) leave();
  }

  async #scheduleOf({ typeArgs }: PlannedJob): Promise<Pick<Scheduled, "schedule" | "trigger" | "now">> {
    const { clock } = this.#engine.shared;
    const { cron, timeInterval = 0, timeZone } = typeArgs;
    if (cron === undefined) {
      const { intervalSchedule } = await import("../schedule/interval.js");
      const schedule = intervalSchedule(timeInterval, clock.monotonic());
      return { schedule, trigger: "interval", now: () => clock.monotonic() };
    }
    const { cronSchedule } = await import("../schedule/cron.js");
    const zone = timeZone ?? (this.#engine.settings.cronInLocalTime ? "local" : "UTC");
    return { schedule: cronSchedule(cron, zone), trigger: "cron", now: () => clock.now() };
  }

  #due(one: Scheduled, due: Due): void {
    const { job, given, trigger, name, latest } = one;
    const { dispatch } = this.#engine;
    const at = this.#instant(one, due.at);
    this.#announce(one, due);
    const open = latest !== undefined && latest.outcome === undefined ? latest : undefined;
    if (open !== undefined && mustWait(one, open)) {
      const what = open.giveUp === undefined ? "is going on" : "has not begun";
      this.#engine.tickSkipped(job.name, at, `the run before it ${what}`);
      return;
    }
    [one.latest] = dispatch.submit({ job, given, trigger, tick: { schedule: name, at } });
  }

  /** Says what was missed: a night without its report must be found in the log. */
  #announce(one: Scheduled, { at, since, missed }: Due): void {
    const late = one.now() - at;
    if (missed === 0 && late < LATE) return;
    const iso = (instant: number): string => new Date(this.#instant(one, instant)).toISOString();
    const more = missed >= 100 ? "100 or more ticks" : missed === 1 ? "one tick" : `${missed} ticks`;
    const lost = missed === 0 ? "" : ` It makes up for ${more} from ${iso(since)} on, which are not run.`;
    const why = "this process slept or was held up, or the clock was put forward";
    this.#engine.log.line("WARN", `"${one.job.name}" is due since ${iso(at)}: ${why}.${lost}`);
  }

  /** Interval ticks are on the monotonic clock. */
  #instant({ now }: Scheduled, tick: number): number {
    return Math.round(this.#engine.shared.clock.now() + tick - now());
  }
}

/**
 * Whether a tick must pass while the run before it is open. One that waits for its turn is run soon; more of them behind it would fill the memory
 * of a daemon. One that needs the lock of the run before it would only hold a slot.
 */
function mustWait({ job }: Scheduled, open: Request): boolean {
  return job.typeArgs.waitForFinish === true || job.typeArgs.lock !== undefined || open.giveUp !== undefined;
}
