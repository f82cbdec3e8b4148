import type { Settings, TypeArgs } from "../load/job-file.js";
import type { PlannedJob } from "./planned.js";

/*
 * What settings mean where they are not written. A run goes by it, and a dry run says it.
 */

/** Whether the items of the todo run one after the other. */
export function isSequential({ async, sequential }: Settings): boolean {
  return !(async ?? sequential === false);
}

/** The time zone of the cron expression of a job. */
export function timeZoneOf({ timeZone }: TypeArgs, { cronInLocalTime }: Settings): string {
  return String(timeZone ?? (cronInLocalTime ? "local" : "UTC"));
}

/** How the runs of a job with several args go together. */
export interface RunLimits {
  /** How many run at once, at most. */
  readonly most: number;
  /** Whether the first failure keeps the others from starting, and stops those that run. */
  readonly failFast: boolean;
}

/**
 * A matrix fails fast, as in GitHub Actions. The maps of a list of args are independent of each other, as in
 * OpenAF; of those that run one after the other, the first failure is the last run.
 */
export function runLimits({ matrix, typeArgs }: Pick<PlannedJob, "matrix" | "typeArgs">): RunLimits {
  const { single = false, maxParallel = Number.POSITIVE_INFINITY, failFast } = typeArgs;
  return { most: single ? 1 : maxParallel, failFast: failFast ?? (single || matrix !== undefined) };
}
