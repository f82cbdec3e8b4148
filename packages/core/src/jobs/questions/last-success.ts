import type { Channel } from "../../channel/channel.js";
import type { CallOptions } from "../../channel/types.js";
import { historyOf, names } from "../records/history/by-name.js";
import { records } from "../records/read.js";
import { DAY, HOUR } from "../rollups/cell.js";
import type { RollupQuestions } from "../rollups/question.js";
import type { RunRecord } from "../types.js";

/** How many jobs are read at once, and how many of the newest runs of each. */
const AT_ONCE = 20;
const NEWEST = 5;

/** How far back the rollups are asked, in ms: they refuse more than 400 days of hours. */
const FURTHEST = 399 * DAY;

/** What is read. */
interface Stores {
  readonly jobs: Channel<RunRecord>;
  readonly rollups: RollupQuestions;
  readonly now: number;
}

/** The last run that completed of each job that has one, ordered by name. */
export async function* lastSuccesses(stores: Stores, options: CallOptions): AsyncGenerator<RunRecord, void, undefined> {
  let some: string[] = [];
  for await (const name of names(stores.jobs, options.signal)) {
    some.push(name);
    if (some.length < AT_ONCE) continue;
    yield* await successesOf(stores, some, options);
    some = [];
  }
  yield* await successesOf(stores, some, options);
}

async function successesOf(stores: Stores, some: readonly string[], options: CallOptions): Promise<RunRecord[]> {
  const newest = await Promise.all(some.map((name) => successIn(stores.jobs, name, { limit: NEWEST, ...options })));
  const more = some.filter((_, i) => newest[i]?.run === undefined && newest[i]?.read === NEWEST);
  const earlier = more.length === 0 ? [] : await earlierSuccesses(stores, more, options);
  const found = [...newest.map(({ run }) => run), ...earlier].filter((run) => run !== undefined);
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Finds the last successes of jobs whose newest runs have none. However many runs failed since, the rollups
 * know the hour: only its records are read.
 */
async function earlierSuccesses(
  { jobs, rollups, now }: Stores,
  some: readonly string[],
  options: CallOptions,
): Promise<(RunRecord | undefined)[]> {
  const oldest = await Promise.all(some.map((name) => oldestOf(jobs, name, options)));
  const from = Math.max(Math.min(now, ...oldest.filter((time) => time !== undefined)), now - FURTHEST, 0);
  const { jobs: counted } = await rollups.ask({ names: some, from, to: now + 1, by: "hour", ...options });
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
