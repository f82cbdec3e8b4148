/** When a job is due, again and again. Instants are in ms since 1970 in UTC, as of `Date.now()`. */
export interface Schedule {
  /** The first tick after this instant, never the instant itself. */
  next(after: number): number;
}

/** A schedule that cannot be: the message says what is wrong and what may stand there. */
export class ScheduleError extends Error {
  override readonly name: string = "ScheduleError";
  /** The setting in `typeArgs` that is wrong. */
  readonly setting: "cron" | "timeZone" | "timeInterval";

  constructor(setting: ScheduleError["setting"], message: string) {
    super(message);
    this.setting = setting;
  }
}
