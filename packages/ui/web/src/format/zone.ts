import { signal } from "@preact/signals";
import { remembered } from "../app/remembered.js";
import { localZone } from "./wall.js";

/** The zone in which times are shown: the user's, UTC, or that of the job. */
export type ZoneChoice = "local" | "utc" | "job";

/** The choice of the user. */
export const zoneChoice = remembered<ZoneChoice>("zone", "local", ["local", "utc", "job"]);

/** The zones of the jobs that have a schedule, by name, once they were read. */
export const jobZones = signal<ReadonlyMap<string, string>>(new Map());

/** The job of the page, with its zone if the page knows it; a list has a job in each row. */
export const pageJob = signal<{ readonly name: string; readonly zone: string | undefined } | undefined>(undefined);

/** The zone in which to show a time of a job. */
export function zoneFor(job: string | undefined): string {
  if (zoneChoice.value === "utc") return "UTC";
  return (zoneChoice.value === "job" ? zoneOfJob(job) : undefined) ?? localZone();
}

/** The zone of the schedule of a job; `undefined` if it has none, or if it is not known yet. */
export function zoneOfJob(job: string | undefined): string | undefined {
  const page = pageJob.value;
  const name = job ?? page?.name;
  const known = page?.name === name ? page?.zone : undefined;
  return known ?? (name === undefined ? undefined : jobZones.value.get(name));
}
