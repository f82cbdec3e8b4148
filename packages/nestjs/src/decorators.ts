import { SetMetadata } from "@nestjs/common";
import type { Duration, RunOptions } from "@ojm/core";
import type { ScheduleDefinition } from "@ojm/schedule";

/** The key of the metadata of a method: its {@link Plan}. */
export const PLAN = "ojm:plan";

/** The options of a schedule besides its time: `missed`, `overlap`, `retry`, `timeout` and others. */
export type JobOptions = Omit<ScheduleDefinition, "cron" | "every" | "timeZone">;

/** Options of {@link Cron}. */
export interface CronOptions extends JobOptions {
  /** The name of the job, its lock and its history. Default: `Class.method`. */
  readonly name?: string;
  /** A name of the IANA list. Default: that of the module. */
  readonly timeZone?: string;
  /** Instead of `timeZone`: whole hours, in minutes. */
  readonly utcOffset?: number;
  /** Whether this process does not run the job. Default: false. */
  readonly disabled?: boolean;
  /** How long after its start this process begins to take part, in ms. Default: 0. */
  readonly initialDelay?: number;
  /** `true` is the default; `false` is rejected: use `overlap`. */
  readonly waitForCompletion?: boolean;
  /** `true` is rejected: close the application instead. */
  readonly unrefTimeout?: boolean;
  /** Rejected: use `missed`. */
  readonly threshold?: number;
}

/** Options of {@link Timeout}. */
export interface TimeoutOptions extends Pick<RunOptions, "timeout" | "retry" | "meta" | "once"> {
  /** How long to wait for the runs of other processes. Default: one hour. */
  readonly wait?: Duration;
}

/** What starts a method. */
export type JobKind = "cron" | "interval" | "timeout";

/** What a decorator says about a method. Its values are checked at the start of the application. */
export interface Plan {
  readonly kind: JobKind;
  readonly name?: string | undefined;
  /** The expression, or a time in ms. */
  readonly time: unknown;
  readonly options: CronOptions & TimeoutOptions;
}

/**
 * Runs the method at each tick of a cron expression, in one of all processes that share the store. The method
 * receives the run.
 *
 * @param expression 5 fields, or 6 with the second first, or a nickname such as `@daily`
 * @example
 * class Reports { @Cron("0 2 * * *", { missed: "latest" }) nightly(run: Run) { … } }
 */
export function Cron(expression: string, options: CronOptions = {}): MethodDecorator {
  return SetMetadata(PLAN, { kind: "cron", name: options?.name, time: expression, options } satisfies Plan);
}

/** A decorator of a method, with a time in ms, and perhaps a name before it. */
export interface TimedDecorator<O> {
  (ms: number, options?: O): MethodDecorator;
  (name: string, ms: number, options?: O): MethodDecorator;
}

/**
 * Runs the method every `ms`, in one of all processes that share the store: at least 1,000, counted from
 * 1970-01-01T00:00Z. The method receives the run.
 */
export const Interval: TimedDecorator<JobOptions> = timed("interval");

/**
 * Runs the method once, `ms` after the start of each process: in one process at a time, because the run holds
 * the lock of its name. With `once`, one process of all runs it. The method receives the run.
 */
export const Timeout: TimedDecorator<TimeoutOptions> = timed("timeout");

function timed(kind: JobKind) {
  return (...words: readonly unknown[]): MethodDecorator => {
    const [name, time, options = {}] = typeof words[0] === "string" ? words : [undefined, ...words];
    return SetMetadata(PLAN, { kind, name, time, options } as Plan);
  };
}
