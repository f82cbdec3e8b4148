import { signal } from "@preact/signals";
import { remembered } from "../app/remembered.js";
import { localZone } from "./wall.js";

/** The zone in which times are shown: the reader's, UTC, or that of the job. */
export type ZoneChoice = "local" | "utc" | "job";

/** The choice of the reader. */
export const zoneChoice = remembered<ZoneChoice>("zone", "local", ["local", "utc", "job"]);

/** The zones of the jobs that have a schedule, by their names, as far as they are known. */
export const jobZones = signal<ReadonlyMap<string, string>>(new Map());

/** The job that a page is about; lists have one a row. */
export const pageJob = signal<string | undefined>(undefined);

/** The zone to show a time of a job in. */
export function zoneFor(job: string | undefined): string {
  if (zoneChoice.value === "utc") return "UTC";
  const name = zoneChoice.value === "job" ? (job ?? pageJob.value) : undefined;
  return (name === undefined ? undefined : jobZones.value.get(name)) ?? localZone();
}

/** Keeps what a page knows of the zone of a job: it need not wait for the zones of all. */
export function learnZone(name: string, zone: string | undefined): void {
  if (zone === undefined || jobZones.value.get(name) === zone) return;
  jobZones.value = new Map(jobZones.value).set(name, zone);
}
