import { signal } from "@preact/signals";
import { remembered } from "../app/remembered.js";
import { localZone } from "./wall.js";

/** The zone in which times are shown: the reader's, UTC, or that of the job. */
export type ZoneChoice = "local" | "utc" | "job";

/** The choice of the reader. */
export const zoneChoice = remembered<ZoneChoice>("zone", "local", ["local", "utc", "job"]);

/** The zones of the jobs that have a schedule, by their names, once they were read. */
export const jobZones = signal<ReadonlyMap<string, string>>(new Map());

/** The job that a page is about, with its zone, if the page knows it; lists have a job a row. */
export const pageJob = signal<{ readonly name: string; readonly zone: string | undefined } | undefined>(undefined);

/** The zone to show a time of a job in. */
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
