import type { Channel } from "../../channel/channel.js";
import { historyOf, names } from "../records/history/by-name.js";
import type { JobSummary, RunRecord, RunStatus } from "../types.js";

/** How many of the newest runs of a job are read for its streak. */
const NEWEST = 50;

/**
 * How many of the newest runs of a job decide its usual duration, everywhere. A live view reads them each
 * time a run begins, so they are few.
 */
const USUAL = 20;

/** How many jobs are read at once. */
const AT_ONCE = 20;

/** What is to be known of each job, ordered by name. Reads a few runs of each, however many are kept. */
export async function* jobSummaries(
  jobs: Channel<RunRecord>,
  signal: AbortSignal | undefined,
): AsyncGenerator<JobSummary, void, undefined> {
  let some: string[] = [];
  const summaries = (): Promise<(JobSummary | undefined)[]> =>
    Promise.all(some.map((name) => summaryOf(jobs, name, signal)));
  for await (const name of names(jobs, signal)) {
    some.push(name);
    if (some.length < AT_ONCE) continue;
    yield* (await summaries()).filter((summary) => summary !== undefined);
    some = [];
  }
  yield* (await summaries()).filter((summary) => summary !== undefined);
}

async function summaryOf(
  jobs: Channel<RunRecord>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<JobSummary | undefined> {
  const newest: RunRecord[] = [];
  for await (const record of historyOf(jobs, name, { limit: NEWEST, ...(signal && { signal }) })) newest.push(record);
  return newest.length === 0 ? undefined : summarize(name, newest);
}

/** A summary of the newest runs of a job, the newest first. */
export function summarize(name: string, newest: readonly RunRecord[]): JobSummary {
  const running = newest.find(({ status }) => status === "running");
  const ended = newest.filter(({ status }) => status !== "running");
  const last = ended[0];
  const usual = usualOf(newest);
  return {
    name,
    ...(running && { running }),
    ...(last && { last }),
    ...(usual && { usual }),
    streak: streakOf(newest),
  };
}

/** The usual duration of a job, see {@link JobSummary.usual}. Reads no more records than that needs. */
export async function usually(jobs: Channel<RunRecord>, name: string): Promise<JobSummary["usual"]> {
  const newest: RunRecord[] = [];
  for await (const record of historyOf(jobs, name, { limit: USUAL })) newest.push(record);
  return usualOf(newest);
}

/**
 * The usual duration of a job: half of those of its last 20 runs that completed, and 19 of 20, took no
 * longer, in ms; `undefined` if none of them completed.
 *
 * @param newest the newest runs of one job, the newest first; more than 20 of them do not count
 */
export function usualOf(newest: readonly RunRecord[]): JobSummary["usual"] {
  const durations = newest
    .slice(0, USUAL)
    .filter(({ status, duration }) => status === "completed" && duration !== undefined)
    .map(({ duration }) => duration ?? 0)
    .toSorted((a, b) => a - b);
  return durations.length === 0 ? undefined : { p50: quantile(durations, 0.5), p95: quantile(durations, 0.95) };
}

const NEUTRAL: ReadonlySet<RunStatus> = new Set<RunStatus>(["running", "cancelled", "skipped"]);

/** Whether a run with this status says nothing about its job: somebody wanted it to end, say. */
export const isNeutral = (status: RunStatus): boolean => NEUTRAL.has(status);

/**
 * How many runs in a row ended well, as a number above zero, or in error, as one below. A chain of attempts
 * counts once, as its last one ended. A run that was cancelled or skipped says nothing about its job.
 *
 * @param newest the newest runs of one job, the newest first
 */
export function streakOf(newest: readonly RunRecord[]): number {
  const ended = lastOfChains(newest).filter(({ status }) => !isNeutral(status));
  const [last] = ended;
  if (last === undefined) return 0;
  const other = ended.findIndex(({ inError }) => inError !== last.inError);
  const length = other < 0 ? ended.length : other;
  return last.inError === true ? -length : length;
}

/** The last attempt of each chain, of runs that have the newest first. */
function lastOfChains(newest: readonly RunRecord[]): RunRecord[] {
  const known = new Set<string>();
  return newest.filter(({ chain, id }) => {
    const isLast = !known.has(chain ?? id);
    known.add(chain ?? id);
    return isLast;
  });
}

/** The value below which this share of the sorted values lies. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
