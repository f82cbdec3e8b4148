import { signal } from "@preact/signals";
import { remembered } from "../app/remembered.js";
import { localZone } from "./wall.js";

/** The zone in which times are shown: the reader's, UTC, or that of the job. */
export type ZoneChoice = "local" | "utc" | "job";

/** The choice of the reader. */
export const zoneChoice = remembered<ZoneChoice>("zone", "local", ["local", "utc", "job"]);

/** The zone of the job that a page is about; lists have one a row. */
export const pageZone = signal<string | undefined>(undefined);

/** The zone to show a time in, that belongs to a job in `jobZone`. */
export function zoneFor(jobZone: string | undefined): string {
  if (zoneChoice.value === "utc") return "UTC";
  const job = zoneChoice.value === "job" ? (jobZone ?? pageZone.value) : undefined;
  return job ?? localZone();
}
