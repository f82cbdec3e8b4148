import { useEffect, useLayoutEffect } from "preact/hooks";
import { offersOf, possible } from "../../acts/offers.js";
import { type Resource, useResource } from "../../api/resource.js";
import type { JobDetail } from "../../api/types.js";
import { pageJob } from "../../format/zone.js";
import { subject } from "../../palette/commands.js";

/**
 * How often the job is read again, in ms: no event reports an overdue tick, or the end of the last process.
 */
const REFRESH = 15_000;

/** Reads a job, and sets the subject of the palette and of the times. */
export function useJob(name: string): Resource<JobDetail> {
  const job = useResource<JobDetail>(`jobs/${encodeURIComponent(name)}`, { names: [name], every: REFRESH });
  const detail = job.data.value;
  const { schedule, running } = detail ?? {};
  const hold = detail?.lock?.hold;
  const acts = detail === undefined ? [] : possible(offersOf(detail));
  useEffect(() => {
    subject.value = { acts, target: { name, run: running, hold } };
    return () => {
      subject.value = undefined;
    };
  }, [name, running, acts.join(), hold?.reason]);
  usePageJob(name, schedule?.timeZone);
  return job;
}

/** Sets the job of the page before it is painted: otherwise its times would jump to another zone. */
export function usePageJob(name: string, zone?: string): void {
  useLayoutEffect(() => {
    pageJob.value = { name, zone };
    return () => {
      pageJob.value = undefined;
    };
  }, [name, zone]);
}
