import type { Channel } from "../channel/channel.js";
import type { CallOptions } from "../channel/types.js";
import { hasEnded, isStatus, records } from "../jobs/records/read.js";
import type { JobSummary, RunRecord, RunStatus } from "../jobs/types.js";
import { all, first, type Items, inBatches } from "../util/iterate.js";
import { present } from "../util/shape.js";
import { historyOf, jobNames } from "./history.js";
import { FURTHEST_ROLLUP, HOUR } from "./rollups/entries.js";
import type { RollupQueries } from "./rollups/queries.js";

/** The number of newest runs of a job to read for its streak. */
const RUNS_OF_SUMMARY = 50;

/** How many of a job's newest runs determine its usual duration. A live view reads them at each start. */
const USUAL = 20;

/** How many jobs are read at once. */
const NAMES_AT_ONCE = 20;

/** A summary of each job, ordered by name. Reads a few runs of each, however many are stored. */
export async function* jobSummaries(jobs: Channel<RunRecord>, signal: AbortSignal | undefined): Items<JobSummary> {
  for await (const names of inBatches(jobNames(jobs, signal), NAMES_AT_ONCE)) {
    const summaries = await Promise.all(names.map((name) => summaryOf(jobs, name, signal)));
    yield* summaries.filter((summary) => summary !== undefined);
  }
}

/** The summary of one job; `undefined` if it has no record. */
export async function summaryOf(
  jobs: Channel<RunRecord>,
  name: string,
  signal?: AbortSignal,
): Promise<JobSummary | undefined> {
  const newest = await all(historyOf(jobs, name, { limit: RUNS_OF_SUMMARY, ...(signal && { signal }) }));
  return newest.length === 0 ? undefined : summarize(name, newest);
}

/** A summary of the newest runs of a job, the newest first. */
export function summarize(name: string, newest: readonly RunRecord[]): JobSummary {
  const running = newest.find(({ status }) => status === "running");
  const last = newest.find(hasEnded);
  return { name, ...present({ running, last, usual: usualOf(newest) }), streak: streakOf(newest) };
}

/** The usual duration of a job, see {@link JobSummary.usual}. Reads only the records that it needs. */
export async function usually(jobs: Channel<RunRecord>, name: string): Promise<JobSummary["usual"]> {
  return usualOf(await all(historyOf(jobs, name, { limit: USUAL })));
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
    .flatMap(({ status, duration = [] }) => (status === "completed" ? duration : []))
    .toSorted((a, b) => a - b);
  return durations.length === 0 ? undefined : { p50: quantile(durations, 0.5), p95: quantile(durations, 0.95) };
}

const NEUTRAL: ReadonlySet<RunStatus> = new Set<RunStatus>(["running", "cancelled", "skipped"]);

/**
 * Whether a run with this status does not show the state of its job: for example, a person ended it, or a
 * later version of ojm wrote the status.
 */
export const isNeutral = (status: RunStatus): boolean => NEUTRAL.has(status) || !isStatus(status);

/**
 * How many runs in a row ended well, as a number above zero, or in error, as one below. A retry series counts
 * once, with the end of its last attempt. A cancelled or skipped run does not count.
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

/** The last attempt of each retry series, of runs that are sorted newest first. */
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

/** The number of newest runs of a job to read for its last success. */
const NEWEST_RUNS = 5;

/** The stores to read, and the time. */
interface SuccessStores {
  readonly jobs: Channel<RunRecord>;
  readonly rollups: RollupQueries;
  readonly now: number;
}

/** The last completed run of each job that has one, ordered by name. */
export async function* lastSuccesses(stores: SuccessStores, options: CallOptions): Items<RunRecord> {
  for await (const names of inBatches(jobNames(stores.jobs, options.signal), NAMES_AT_ONCE))
    yield* await successesOf(stores, names, options);
}

async function successesOf(stores: SuccessStores, some: readonly string[], options: CallOptions): Promise<RunRecord[]> {
  const range = { limit: NEWEST_RUNS, ...options };
  const newest = await Promise.all(some.map((name) => successIn(stores.jobs, name, range)));
  const more = some.filter((_, i) => newest[i]?.run === undefined && newest[i]?.read === NEWEST_RUNS);
  const earlier = more.length === 0 ? [] : await earlierSuccesses(stores, more, options);
  const found = [...newest.map(({ run }) => run), ...earlier].filter((run) => run !== undefined);
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Finds the last successes of jobs whose newest runs have none. The rollups know the hour, however many runs
 * have failed since: only its records are read.
 */
async function earlierSuccesses(
  { jobs, rollups, now }: SuccessStores,
  some: readonly string[],
  options: CallOptions,
): Promise<(RunRecord | undefined)[]> {
  const oldest = await Promise.all(
    some.map((name) => first(records(jobs, { prefix: { name }, limit: 1, ...options }))),
  );
  const oldestTimes = oldest.flatMap((entry) => entry?.value.startTime ?? []);
  const from = Math.max(Math.min(now, ...oldestTimes), now - FURTHEST_ROLLUP, 0);
  const { jobs: counted } = await rollups.query({ names: some, from, to: now + 1, by: "hour", ...options });
  return Promise.all(
    counted.map(async ({ name, cells }) => {
      const at = cells.findLast(({ runs: { completed = 0 } }) => completed > 0)?.at;
      const range = { from: at ?? 0, to: (at ?? 0) + HOUR, limit: Number.POSITIVE_INFINITY };
      return at === undefined ? undefined : (await successIn(jobs, name, { ...range, ...options })).run;
    }),
  );
}

async function successIn(
  jobs: Channel<RunRecord>,
  name: string,
  range: Parameters<typeof historyOf>[2],
): Promise<{ readonly run?: RunRecord; readonly read: number }> {
  let read = 0;
  for await (const run of historyOf(jobs, name, range)) {
    read++;
    if (run.status === "completed") return { run, read };
  }
  return { read };
}
