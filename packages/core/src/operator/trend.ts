import type { CallOptions } from "../channel/types.js";
import type { JobQueries } from "../jobs/job-queries.js";
import { DAY } from "./rollups/entries.js";
import type { RollupCell } from "./rollups/types.js";

/** The usual duration of a job in the last seven days, and in the seven days before, in ms. */
export interface Trend {
  readonly week: number;
  readonly before: number;
}

/** The trends of some jobs, and whether they are complete. */
export interface Trends {
  /** By name. Jobs with too few runs in one of the weeks are left out. */
  readonly of: ReadonlyMap<string, Trend>;
  /** Whether the runs are not all counted yet. Query again: see {@link JobQueries.rollups}. */
  readonly counting: boolean;
}

const WEEK = 7 * DAY;

/** A week with fewer runs shows no trend: one slow run is no change. */
const FEWEST = 3;

/**
 * Compares the usual durations of the last week with those of the week before, from the rollups: it reads as
 * much for a job with a million runs as for one with ten.
 *
 * The usual duration of a week is the median of the mean durations of its hours, each as often as it has
 * runs. For a job that runs once an hour or less, that is the median of its runs. Hours with a failure count
 * only if there are no others: a run that fails ends early.
 *
 * @throws ChannelError if the store fails
 */
export async function trendsOf(
  manager: Pick<JobQueries, "rollups">,
  names: readonly string[],
  now: number,
  options: CallOptions = {},
): Promise<Trends> {
  const range = { from: Math.max(0, now - 2 * WEEK), to: now, by: "hour" } as const;
  const { jobs, missing } = await manager.rollups({ names, ...range, ...options });
  if (missing !== undefined) return { of: new Map(), counting: true };
  const trends = new Map<string, Trend>();
  for (const { name, cells } of jobs) {
    const week = usualIn(cells.filter(({ at }) => at >= now - WEEK));
    const before = usualIn(cells.filter(({ at }) => at < now - WEEK));
    if (week !== undefined && before !== undefined) trends.set(name, { week, before });
  }
  return { of: trends, counting: false };
}

/** How much longer the runs of a job take than a week ago: 2 is twice as long. */
export const slowdownOf = ({ week, before }: Trend): number => week / Math.max(1, before);

/** The usual duration of the runs in some hours; `undefined` if they have too few. */
function usualIn(cells: readonly RollupCell[]): number | undefined {
  const hours = cells.flatMap(({ runs, busy }) => {
    const { completed = 0, failed = 0, timeout = 0, cancelled = 0, lost = 0, skipped = 0 } = runs;
    const ended = completed + failed + timeout + cancelled + lost + skipped;
    return completed === 0 ? [] : [{ mean: busy / ended, count: completed, isWell: ended === completed }];
  });
  const well = hours.filter(({ isWell }) => isWell);
  return median(sumOf(well) < FEWEST ? hours : well);
}

type Hour = { readonly mean: number; readonly count: number };

const sumOf = (hours: readonly Hour[]): number => hours.reduce((sum, { count }) => sum + count, 0);

function median(hours: readonly Hour[]): number | undefined {
  const all = sumOf(hours);
  if (all < FEWEST) return undefined;
  let count = 0;
  const middle = hours
    .toSorted((a, b) => a.mean - b.mean)
    .find((hour) => {
      count += hour.count;
      return count >= all / 2;
    });
  return middle && Math.round(middle.mean);
}
