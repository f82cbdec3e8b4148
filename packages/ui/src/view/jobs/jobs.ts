import type { RunRecord } from "@ojm/core";
import { type ScheduleSummary, wordsOf } from "@ojm/schedule";
import type { Job, JobDetail, JobSchedule, Jobs, LastRun } from "../../contract/jobs.js";
import { comingTick, decidedTick } from "../now/ticks.js";
import { shorten } from "../runs/items.js";
import { fitting, isOwn, mapSome, type Source, take } from "../source.js";

/** How many of the newest runs tell how a job usually goes. */
const NEWEST = 30;

/** How many durations are shown. */
const DURATIONS = 20;

/** Which jobs are asked for. */
export interface NamesAsked {
  readonly after?: string;
  readonly q?: string;
  readonly limit: number;
}

/** A page of names, and whether there are more. */
export function pageOf(
  names: Iterable<string>,
  { after, q, limit }: NamesAsked,
): { readonly names: string[]; readonly more: boolean } {
  const wanted = q?.toLowerCase();
  const found = [...new Set(names)]
    // A name of ojm's own is shown to those who look for it.
    .filter((name) => !isOwn(name) || wanted?.startsWith("ojm ") === true)
    .filter((name) => wanted === undefined || name.toLowerCase().includes(wanted))
    .filter((name) => after === undefined || name > after)
    .sort();
  return { names: found.slice(0, limit), more: found.length > limit };
}

/** A page of the jobs, by name. */
export async function jobsOf(source: Source, asked: NamesAsked): Promise<Jobs> {
  const [names, schedules] = await Promise.all([source.hub.names(), schedulesOf(source, 1)]);
  const page = pageOf([...names, ...schedules.keys()], asked);
  const all = await mapSome(page.names, (name) => jobOf(source, name, schedules.get(name)));
  const { items: jobs, more } = fitting(all);
  return { jobs, more: more || page.more };
}

/** A job with its ticks; `undefined` if there is neither a run nor a schedule of this name. */
export async function jobDetailOf(source: Source, name: string): Promise<JobDetail | undefined> {
  const schedules = await schedulesOf(source, 10);
  const schedule = schedules.get(name);
  const job = await jobOf(source, name, schedule);
  if (schedule === undefined && job.last === undefined && job.running === undefined) return undefined;
  const decided = await take(source.scheduler.ticks(name, { limit: 20 }), 20);
  const coming = (schedule?.next ?? []).map((tick) => comingTick(name, tick)).reverse();
  return {
    ...job,
    ...(schedule && { definition: { ...schedule.definition } }),
    ticks: [...coming, ...decided.map(decidedTick)],
  };
}

async function schedulesOf({ scheduler }: Source, limit: number): Promise<Map<string, ScheduleSummary>> {
  const schedules = new Map<string, ScheduleSummary>();
  for await (const schedule of scheduler.schedules({ limit })) schedules.set(schedule.name, schedule);
  return schedules;
}

async function jobOf(source: Source, name: string, schedule: ScheduleSummary | undefined): Promise<Job> {
  const newest = await take(source.manager.history({ name, limit: NEWEST }), NEWEST);
  const next = schedule?.next[0];
  return {
    name,
    ...(schedule && { schedule: await scheduleOf(source, schedule) }),
    ...(next && { next: next.due }),
    ...howItGoes(newest, source),
  };
}

/** How a job goes, by its newest runs. */
export function howItGoes(
  newest: readonly RunRecord[],
  source: Pick<Source, "mask">,
): Omit<Job, "name" | "schedule" | "next"> {
  const ended = newest.filter(({ status }) => status !== "running");
  const well = ended.filter(({ status }) => status === "completed");
  const running = newest.find(({ status }) => status === "running");
  const [last] = ended;
  const durations = well.flatMap(({ duration }) => (duration === undefined ? [] : [duration]));
  const sorted = durations.toSorted((a, b) => a - b);
  const other = ended.findIndex(({ status }) => status !== last?.status);
  return {
    ...(last && {
      last: lastOf(last, source),
      streak: { status: last.status, n: other < 0 ? ended.length : other },
      rate: ended.filter(({ inError }) => inError !== true).length / ended.length,
    }),
    ...(well[0] && { lastWell: well[0].startTime }),
    ...(running && { running: running.id }),
    ...(sorted.length > 0 && { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) }),
    durations: durations.slice(0, DURATIONS).reverse(),
  };
}

function lastOf({ id, status, startTime, duration, error }: RunRecord, { mask }: Pick<Source, "mask">): LastRun {
  return {
    id,
    status,
    startTime,
    ...(duration !== undefined && { duration }),
    ...(error !== undefined && { error: shorten(mask(error), 300) }),
  };
}

async function scheduleOf({ mask }: Source, { definition, paused }: ScheduleSummary): Promise<JobSchedule> {
  const { cron, every, timeZone = "UTC" } = definition;
  const isPaused = paused !== undefined && (paused.until ?? Number.POSITIVE_INFINITY) > Date.now();
  return {
    words: await wordsOf(definition),
    zone: timeZone,
    ...(cron !== undefined && { cron }),
    ...(every !== undefined && { every }),
    ...(isPaused && {
      paused: {
        reason: mask(paused.reason),
        by: paused.by,
        at: paused.at,
        ...(paused.until !== undefined && { until: paused.until }),
      },
    }),
  };
}

/** The value below which this share of the sorted values lies. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
