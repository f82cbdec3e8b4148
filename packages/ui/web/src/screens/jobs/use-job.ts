import { useEffect, useLayoutEffect } from "preact/hooks";
import { offersOf, possible } from "../../acts/offers.js";
import { type Resource, useResource } from "../../api/resource.js";
import type { JobDetail } from "../../api/types.js";
import { pageJob } from "../../format/zone.js";
import { subject } from "../../palette/commands.js";

/** Nothing tells that a tick is overdue, or that the last process is gone: the job is read again, in ms. */
const REFRESH = 15_000;

/** Reads a job, and tells the palette and the clock what the page is about. */
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

/** Says which job the page is about, before it is painted: its times would jump to another zone. */
export function usePageJob(name: string, zone?: string): void {
  useLayoutEffect(() => {
    pageJob.value = { name, zone };
    return () => {
      pageJob.value = undefined;
    };
  }, [name, zone]);
}
