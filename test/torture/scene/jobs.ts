import type { ScheduleDefinition } from "@ojm/schedule";

/**
 * The schedules of the mode `tick`: each process adds all of them. If many ticks were missed because a clock
 * was set ahead, only a few of them run: a cell must end.
 */
export const schedules: Readonly<Record<string, ScheduleDefinition>> = {
  skips: { every: 1_000 },
  queues: {
    every: 1_000,
    overlap: "queue",
    missed: { run: "all", max: 5 },
    retry: { attempts: 3, delay: 100, backoff: "fixed", onLost: true },
  },
  catches: { every: 1_000, missed: { run: "all", max: 5 } },
};

/** The time between two ticks of each of them, in ms. */
export const EVERY = 1_000;

/** The job that the processes run without a schedule, and try again. */
export const RETRIED = "retried";

/** The permits of all runs in the mode `permit`: fewer than there are names. */
export const PERMITS: Readonly<Record<string, number>> = { few: 2 };

/** All jobs of that mode that are not plain runs. */
export const jobNames: readonly string[] = [...Object.keys(schedules), RETRIED];

/** The text of the line `n` in the log of each of their runs. */
export const lineOf = (n: number): string => `line ${n} ${"y".repeat(n % 50)}`;
