import type { Settings, TypeArgs } from "../load/job-file.js";

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
