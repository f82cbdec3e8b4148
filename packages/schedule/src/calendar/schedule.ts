/** The ticks of a job. Instants are in ms since 1970 in UTC, as from `Date.now()`. */
export interface Schedule {
  /** The first tick after this instant, never the instant itself. */
  next(after: number): number;
}

/**
 * Why a schedule cannot be used.
 *
 * - `INVALID`: a definition or an argument is wrong; `setting` names what.
 * - `UNKNOWN`: the store has no schedule of this name.
 * - `REFUSED`: a request was refused; the message says by whom or what.
 * - `CLOSED`: the scheduler was closed.
 */
export type ScheduleErrorCode = "INVALID" | "UNKNOWN" | "REFUSED" | "CLOSED";

const BRAND = Symbol.for("ojm.ScheduleError");

/** A schedule cannot be used. The message says why, and what may stand there. */
export class ScheduleError extends Error {
  override readonly name: string = "ScheduleError";
  readonly code: ScheduleErrorCode;
  /** The wrong setting, such as `cron` or `timeZone`; with `INVALID` only. */
  readonly setting: string | undefined;

  constructor(code: ScheduleErrorCode, message: string, setting?: string) {
    super(message);
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.setting = setting;
  }
}

/** Whether `error` is a {@link ScheduleError}, also one of another copy of this package. */
export function isScheduleError(error: unknown): error is ScheduleError {
  return typeof error === "object" && error !== null && BRAND in error;
}
