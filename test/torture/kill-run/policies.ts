import type { ScheduleDefinition } from "@ojm/schedule";

/** The time between two ticks, in ms. */
export const EVERY = 1_000;

const retry = { attempts: 100, delay: 200, backoff: "fixed", onLost: true } as const;

export type Policy = "all" | "latest" | "none";

/** The schedules of a kill run, by their policy for ticks that came while no replica was running. */
export const policies: Readonly<Record<Policy, ScheduleDefinition>> = {
  all: { every: EVERY, overlap: "queue", missed: "all", retry },
  latest: { every: EVERY, overlap: "queue", missed: "latest", retry },
  none: { every: EVERY, overlap: "queue", missed: "none", retry },
};
