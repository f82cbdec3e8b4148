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

/** What a decorator says about a method. */
export type Plan =
  | { readonly kind: "cron"; readonly name?: string | undefined; readonly cron: unknown; readonly options: CronOptions }
  | { readonly kind: "interval"; readonly name?: string | undefined; readonly ms: number; readonly options: JobOptions }
  | {
      readonly kind: "timeout";
      readonly name?: string | undefined;
      readonly ms: number;
      readonly options: TimeoutOptions;
    };

/**
 * Runs the method at each tick of a cron expression, in one of all processes that share the store. The method
 * receives the run.
 *
 * @param expression 5 fields, or 6 with the second first, or a nickname such as `@daily`
 * @example
 * class Reports { @Cron("0 2 * * *", { missed: "latest" }) nightly(run: Run) { … } }
 */
export function Cron(expression: string, options: CronOptions = {}): MethodDecorator {
  return planned({ kind: "cron", name: options.name, cron: expression, options });
}

/**
 * Runs the method every `ms`, in one of all processes that share the store: at least 1,000, counted from
 * 1970-01-01T00:00Z. The method receives the run.
 */
export function Interval(ms: number, options?: JobOptions): MethodDecorator;
export function Interval(name: string, ms: number, options?: JobOptions): MethodDecorator;
export function Interval(first: string | number, second?: number | JobOptions, third?: JobOptions): MethodDecorator {
  return planned({ kind: "interval", ...named(first, second, third) });
}

/**
 * Runs the method once, `ms` after the start of each process: in one process at a time, because the run holds
 * the lock of its name. With `once`, one process of all runs it. The method receives the run.
 */
export function Timeout(ms: number, options?: TimeoutOptions): MethodDecorator;
export function Timeout(name: string, ms: number, options?: TimeoutOptions): MethodDecorator;
export function Timeout(
  first: string | number,
  second?: number | TimeoutOptions,
  third?: TimeoutOptions,
): MethodDecorator {
  return planned({ kind: "timeout", ...named(first, second, third) });
}

function named<T extends object>(
  first: string | number,
  second: number | T | undefined,
  third: T | undefined,
): { readonly name: string | undefined; readonly ms: number; readonly options: T } {
  const isNamed = typeof first === "string";
  const [name, ms, options = {}] = isNamed ? [first, second, third] : [undefined, first, second];
  return { name, ms: ms as number, options: options as T };
}

function planned(plan: Plan): MethodDecorator {
  return SetMetadata(PLAN, plan);
}
