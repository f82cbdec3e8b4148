import type { Channel } from "../channel/channel.js";
import type { TimeIndex } from "../jobs/records/time-index.js";
import type { FailedRunsOptions, RunRecord } from "../jobs/types.js";
import { checkRange, failedRunsOf, historyOf } from "./history.js";
import { isNeutral } from "./job-summary.js";
import { DAY, FURTHEST_ROLLUP } from "./rollups/entries.js";
import type { RollupQueries } from "./rollups/queries.js";

/** The number of newest failures to read. If a few jobs have all of them, the rollups find the others. */
const NEWEST_FAILURES = 300;

/** The number of jobs to check by default, and at once. */
const MOST_JOBS = 100;
const JOBS_AT_ONCE = 20;

/**
 * The number of newest runs of a job to check, and the number if none of those shows the state of the job.
 */
const NEWEST_RUNS = 5;
const MOST_RUNS = 1_000;

type FailingOptions = Omit<FailedRunsOptions, "to">;

/** The stores to read. */
interface Stores {
  readonly jobs: Channel<RunRecord>;
  readonly index: TimeIndex;
  readonly rollups: RollupQueries;
  readonly now: number;
}

/** A job that failed, and a time from which to search for its failure. */
interface Suspect {
  readonly name: string;
  readonly from: number;
}

/**
 * The last run of each job whose last run ended in error, the latest end first. Neutral runs do not count.
 */
export async function failedJobs(stores: Stores, options: FailingOptions): Promise<RunRecord[]> {
  const { from = stores.now - 7 * DAY, limit = MOST_JOBS } = options;
  checkRange({ ...options, from });
  const suspects = (await suspectsOf(stores, from, options, limit)).slice(0, limit);
  const found: RunRecord[] = [];
  for (let i = 0; i < suspects.length; i += JOBS_AT_ONCE) {
    const some = suspects.slice(i, i + JOBS_AT_ONCE).map((suspect) => lastOf(stores.jobs, suspect));
    for (const run of await Promise.all(some)) if (run !== undefined && endOf(run) >= from) found.push(run);
  }
  return found.toSorted((a, b) => endOf(b) - endOf(a));
}

async function suspectsOf(
  { jobs, index, rollups, now }: Stores,
  from: number,
  { signal }: FailingOptions,
  limit: number,
): Promise<Suspect[]> {
  const known = new Set<string>();
  const suspects: Suspect[] = [];
  let read = 0;
  const newest = checkRange({ from, limit: NEWEST_FAILURES, ...(signal && { signal }) });
  for await (const { name, startTime, status } of failedRunsOf(jobs, index, newest)) {
    read++;
    if (isNeutral(status)) continue;
    if (!known.has(name)) suspects.push({ name, from: startTime });
    known.add(name);
  }
  if (read < NEWEST_FAILURES || suspects.length >= limit) return suspects;
  // One job that fails each second must not hide the others. The rollups count a run in the cell of its
  // start: they find runs of a day at most.
  const range = { from: Math.max(0, from - DAY, now - FURTHEST_ROLLUP), to: now + 1, by: "hour" } as const;
  const counted = await rollups.query({ ...range, ...(signal && { signal }) });
  const others = counted.jobs.flatMap(({ name, cells }): Suspect[] => {
    const last = cells.findLast(({ runs: { failed = 0, lost = 0, timeout = 0 } }) => failed + lost + timeout > 0);
    return last === undefined || known.has(name) ? [] : [{ name, from: last.at }];
  });
  return [...suspects, ...others.toSorted((a, b) => b.from - a.from)];
}

/** The last run that shows the state of its job, if it ended in error. */
async function lastOf(jobs: Channel<RunRecord>, { name, from }: Suspect): Promise<RunRecord | undefined> {
  // Start at its failure: etcd reads a range of records as a whole to find the newest ones. The retry series
  // may have been cancelled: then an earlier run shows the state of the job.
  for (const range of [{ from, limit: NEWEST_RUNS }, { from, limit: MOST_RUNS }, { limit: MOST_RUNS }]) {
    let left = range.limit;
    const over = new Set<string>();
    for await (const run of historyOf(jobs, name, range)) {
      left--;
      const { status, chain = run.id } = run;
      // The earlier attempts were retried, so they show no more than this one.
      if (status === "cancelled" || status === "skipped") over.add(chain);
      if (isNeutral(status) || over.has(chain)) continue;
      return run.inError === true ? run : undefined;
    }
    if (left > 0 && !("from" in range)) return undefined;
  }
  return undefined;
}

const endOf = ({ startTime, endTime = startTime }: RunRecord): number => endTime;
