/** The ticks of a job. Instants are in ms since 1970 in UTC, as from `Date.now()`. */
export interface Schedule {
  /** The first tick after this instant, never the instant itself. */
  next(after: number): number;
}

/** A schedule is impossible. The message says why, and what may stand there. */
export class ScheduleError extends Error {
  override readonly name: string = "ScheduleError";
  /** The wrong setting in `typeArgs`. */
  readonly setting: "cron" | "timeZone" | "timeInterval";

  constructor(setting: ScheduleError["setting"], message: string) {
    super(message);
    this.setting = setting;
  }
}
