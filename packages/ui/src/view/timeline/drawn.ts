import type { RunRecord } from "@ojm/core";
import { type JobRollup, type RollupCell, startMs } from "@ojm/core/internal";
import type { Counts, Missing, Status } from "../../contract/types.js";
import { pick, type Source, take } from "../source.js";
import { type Drawn, WORST } from "./bars.js";

/** The range to draw. */
export interface DrawnRange {
  readonly from: number;
  readonly to: number;
  readonly now: number;
}

/** The range of the cells to draw, and the length of a cell, in ms. */
export type CellRange = DrawnRange & { readonly size: number };

/** A running run. Its cell counts it, but it is drawn separately. */
export type RunInProgress = Pick<RunRecord, "id" | "startTime">;

/** The drawn cells of one name, the oldest first, with the running run. */
export function drawnCells(
  cells: readonly RollupCell[],
  running: RunInProgress | undefined,
  range: CellRange,
): Drawn[] {
  const { from, to, now, size } = range;
  const drawn: Drawn[] = [];
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as RollupCell;
    const { at, longest } = cell;
    const hasRunning = running !== undefined && running.startTime >= at && running.startTime < at + size;
    if (hasRunning && running.startTime < from) {
      // All others of this cell ended before this run started, so before the drawn range.
      drawn.push(inProgress(running, now));
      continue;
    }
    const sum = summed(cell, hasRunning);
    if (sum.count > 0) {
      const start = Math.max(at, from);
      // Runs of a name follow one another, so a long one ends before the next cell with runs.
      const next = hasRunning ? startMs(running.startTime) : (cells[i + 1]?.at ?? to);
      const end = Math.max(start, Math.min(at + Math.max(size, longest), next, to, now));
      drawn.push({ ...sum, start, end });
    }
    if (hasRunning) drawn.push(inProgress(running, now));
  }
  return drawn;
}

/** The runs in a cell: their number, by status, and the worst one. `hasRunning`: without the running run. */
function summed(
  { runs }: RollupCell,
  hasRunning: boolean,
): Required<Pick<Drawn, "count" | "status">> & Pick<Drawn, "counts"> {
  const numberOf = (status: Status): number => (runs[status] ?? 0) - (hasRunning && status === "running" ? 1 : 0);
  const order = [...new Set([...WORST, ...(Object.keys(runs) as Status[])])];
  let count = 0;
  let worst: Status | undefined;
  for (const status of order) {
    const own = numberOf(status);
    if (own <= 0) continue;
    worst ??= status;
    count += own;
  }
  const status = worst ?? "completed";
  if (count === 0 || count === numberOf(status)) return { count, status };
  const all = order.map((each): [Status, number] => [each, numberOf(each)]).filter(([, own]) => own > 0);
  return { count, status, counts: Object.fromEntries(all) as Counts };
}

function inProgress({ id, startTime }: RunInProgress, now: number): Drawn {
  const start = startMs(startTime);
  return { id, start, end: Math.max(now, start), status: "running" };
}

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** Up to this many runs, of one lane or of all, are read one by one; more are counted by minutes or hours. */
const MAX_SINGLE = 500;

/** The longest range that is counted by minutes: each name has an entry for each hour of it. */
const LONGEST_BY_MINUTES = 2 * 24 * HOUR;

/** Runs to draw, and the range in which some are missing. */
export interface DrawnRuns {
  readonly drawn: readonly Drawn[];
  readonly missing?: Missing;
}

/**
 * Counts the runs of some lanes. Reads a few entries for each name, however many runs it has. The result
 * reads the runs of one lane in the way that suits its density.
 */
export async function countLanes(
  source: Source,
  names: readonly string[],
  range: DrawnRange,
): Promise<(name: string) => Promise<DrawnRuns>> {
  const { from, to } = range;
  const counted = (of: readonly string[], by: "hour" | "minute"): ReturnType<Source["manager"]["rollups"]> =>
    source.hub.reads.get(JSON.stringify([by, from, to, of]), of, () =>
      source.manager.rollups({ names: of, from, to, by }),
    );
  const hours = await counted(names, "hour");
  const dense = denseOf(hours.jobs);
  const isFine = to - from <= LONGEST_BY_MINUTES;
  const counts = isFine && dense.length > 0 ? await counted(dense, "minute") : hours;
  const cells = new Map(counts.jobs.map((job) => [job.name, job.cells]));
  const size = isFine ? MINUTE : HOUR;
  const running = new Map<string, RunInProgress>();
  if (dense.length > 0) for (const run of (await source.hub.store()).runs.runs()) running.set(run.name, run);
  return async (name) => {
    if (!dense.includes(name)) return fewRuns(source, name, range);
    const before = await lastBefore(source, name, Math.floor(from / size) * size, range);
    const drawn = [...before, ...drawnCells(cells.get(name) ?? [], running.get(name), { ...range, size })];
    return { drawn, ...(counts.missing && { missing: counts.missing }) };
  };
}

/** Runs one by one, the oldest first. */
async function fewRuns(source: Source, name: string, range: DrawnRange): Promise<DrawnRuns> {
  const { from, to, now } = range;
  const [newest, before] = await Promise.all([
    readRuns(source, { name, from, to, limit: MAX_SINGLE + 1 }),
    lastBefore(source, name, from, range),
  ]);
  const runs = newest.slice(0, MAX_SINGLE).reverse();
  const drawn = [...before, ...runs.map((run) => drawnRun(run, now))];
  const [oldest] = runs;
  // There are more runs than the count had: the count has not reached back that far yet.
  return newest.length <= MAX_SINGLE || oldest === undefined
    ? { drawn }
    : { drawn, missing: { from, to: Math.ceil(oldest.startTime) } };
}

/** The run that started before a time, if it reaches into the drawn range. Earlier ones ended before it. */
async function lastBefore(source: Source, name: string, time: number, { from, now }: DrawnRange): Promise<Drawn[]> {
  const [last] = await readRuns(source, { name, to: time, limit: 1 });
  return last === undefined ? [] : [drawnRun(last, now)].filter(({ end }) => end >= from);
}

/** What is drawn of a run. */
type RunTimes = Pick<RunRecord, "id" | "startTime" | "endTime" | "status">;

/** Remembers as little as is drawn: a record may be long. */
function readRuns(
  { manager, hub }: Source,
  range: { readonly name: string; readonly from?: number; readonly to: number; readonly limit: number },
): Promise<readonly RunTimes[]> {
  return hub.reads.get(JSON.stringify(range), [range.name], async () => {
    const records = await take(manager.history(range), range.limit);
    return records.map((record) => pick(record, "id", "startTime", "endTime", "status"));
  });
}

function drawnRun({ id, startTime, endTime, status }: RunTimes, now: number): Drawn {
  const start = startMs(startTime);
  return { id, start, end: endTime ?? Math.max(now, start), status };
}

/** The names with too many runs to be read one by one: the densest ones. */
function denseOf(jobs: readonly JobRollup[]): string[] {
  const counts = jobs.map((job) => ({ name: job.name, count: countOf(job) })).sort((a, b) => a.count - b.count);
  let all = 0;
  return counts
    .filter(({ count }) => {
      all += count;
      return all > MAX_SINGLE;
    })
    .map(({ name }) => name);
}

function countOf({ cells }: JobRollup): number {
  return cells.reduce((sum, { runs }) => sum + Object.values(runs).reduce((all, n) => all + n, 0), 0);
}
