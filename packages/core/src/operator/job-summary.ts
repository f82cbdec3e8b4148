import type { Channel } from "../channel/channel.js";
import type { CallOptions } from "../channel/types.js";
import { records } from "../jobs/records/read.js";
import type { JobSummary, RunRecord, RunStatus } from "../jobs/types.js";
import { historyOf, jobNames } from "./history.js";
import { DAY, HOUR } from "./rollups/entries.js";
import type { RollupQueries } from "./rollups/queries.js";

/** The number of newest runs of a job to read for its streak. */
const RUNS_OF_SUMMARY = 50;

/**
 * The number of newest runs of a job that determine its usual duration, everywhere. A live view reads them
 * each time a run begins, so there are few.
 */
const USUAL = 20;

/** How many jobs are read at once. */
const SUMMARIES_AT_ONCE = 20;

/** A summary of each job, ordered by name. Reads a few runs of each, however many are stored. */
export async function* jobSummaries(
  jobs: Channel<RunRecord>,
  signal: AbortSignal | undefined,
): AsyncGenerator<JobSummary, void, undefined> {
  let some: string[] = [];
  const summaries = (): Promise<(JobSummary | undefined)[]> =>
    Promise.all(some.map((name) => summaryOf(jobs, name, signal)));
  for await (const name of jobNames(jobs, signal)) {
    some.push(name);
    if (some.length < SUMMARIES_AT_ONCE) continue;
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
  for await (const record of historyOf(jobs, name, { limit: RUNS_OF_SUMMARY, ...(signal && { signal }) }))
    newest.push(record);
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

/** The usual duration of a job, see {@link JobSummary.usual}. Reads only the records that it needs. */
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

/** Whether a run with this status does not show the state of its job: for example, a person ended it. */
export const isNeutral = (status: RunStatus): boolean => NEUTRAL.has(status);

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

/** The number of jobs to read at once, and of the newest runs of each. */
const NAMES_AT_ONCE = 20;
const NEWEST_RUNS = 5;

/** The furthest range of a rollup query, in ms: rollups reject more than 400 days of hours. */
const FURTHEST = 399 * DAY;

/** The stores to read. */
interface SuccessStores {
  readonly jobs: Channel<RunRecord>;
  readonly rollups: RollupQueries;
  readonly now: number;
}

/** The last completed run of each job that has one, ordered by name. */
export async function* lastSuccesses(
  stores: SuccessStores,
  options: CallOptions,
): AsyncGenerator<RunRecord, void, undefined> {
  let some: string[] = [];
  for await (const name of jobNames(stores.jobs, options.signal)) {
    some.push(name);
    if (some.length < NAMES_AT_ONCE) continue;
    yield* await successesOf(stores, some, options);
    some = [];
  }
  yield* await successesOf(stores, some, options);
}

async function successesOf(stores: SuccessStores, some: readonly string[], options: CallOptions): Promise<RunRecord[]> {
  const newest = await Promise.all(
    some.map((name) => successIn(stores.jobs, name, { limit: NEWEST_RUNS, ...options })),
  );
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
  const oldest = await Promise.all(some.map((name) => oldestOf(jobs, name, options)));
  const from = Math.max(Math.min(now, ...oldest.filter((time) => time !== undefined)), now - FURTHEST, 0);
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

async function oldestOf(jobs: Channel<RunRecord>, name: string, options: CallOptions): Promise<number | undefined> {
  for await (const { value } of records(jobs, { prefix: { name }, limit: 1, ...options })) return value.startTime;
  return undefined;
}
