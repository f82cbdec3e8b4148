import type { NextTick, ScheduleView } from "@ojm/schedule";
import { overdueEntry, type ScheduleState } from "@ojm/schedule/operator";
import type { Lane, Missing, TickView, Timeline } from "../../contract/types.js";
import { marksOf } from "../jobs/course.js";
import { type NamesQuery, pageOf } from "../jobs/jobs.js";
import { comingTick, tickView } from "../now/ticks.js";
import { Fitting, mapSome, type Source, statesIn, take } from "../source.js";
import { barsOf, sizeOf } from "./bars.js";
import { countLanes, type DrawnRange } from "./drawn.js";

/** How many lanes are read at once. */
const AT_ONCE = 8;

/** The requested part of the timeline. */
export interface TimelineQuery extends NamesQuery {
  readonly from: number;
  readonly to: number;
  readonly px: number;
}

/** The runs and ticks of all jobs. */
export async function timelineOf(source: Source, asked: TimelineQuery): Promise<Timeline> {
  const [names, store] = await Promise.all([source.hub.names(), source.hub.store()]);
  const page = pageOf([...names, ...store.scheduleNames()], asked);
  const stateOf = statesIn(store);
  const { from, to, px } = asked;
  const range = { from, to, px, now: Date.now() };
  const schedules = new Map(page.names.map((name) => [name, store.schedule(name)]));
  const [runsOf, marks] = await Promise.all([
    countLanes(source, page.names, range),
    marksOf(source, schedules, { from, to }),
  ]);
  const readLane = async (name: string): Promise<{ readonly lane: Lane; readonly missing: Missing | undefined }> => {
    const schedule = stateOf(name);
    const [{ drawn, missing }, ticks] = await Promise.all([
      runsOf(name),
      schedule === undefined ? [] : ticksOf(source, schedule, range),
    ]);
    const changes = marks.get(name) ?? [];
    const bars = barsOf(drawn, (to - from) / px);
    return { lane: { name, bars, ticks, ...(changes.length > 0 && { marks: changes }) }, missing };
  };
  const lanes = new Fitting<Lane>();
  const gaps: Missing[] = [];
  for (let i = 0; i < page.names.length; i += AT_ONCE) {
    const some = await mapSome(page.names.slice(i, i + AT_ONCE), readLane);
    const isWhole = some.every(({ lane, missing }) => {
      const fits = lanes.add(lane, sizeOf(lane));
      if (fits && missing !== undefined) gaps.push(missing);
      return fits;
    });
    // Stop reading once a lane does not fit.
    if (!isWhole) break;
  }
  const more = page.more || lanes.items.length < page.names.length;
  // The range that covers all of them.
  const missing = { from: Math.min(...gaps.map((gap) => gap.from)), to: Math.max(...gaps.map((gap) => gap.to)) };
  return { from, to, lanes: lanes.items, more, ...(gaps.length > 0 && { missing }) };
}

/** The most coming ticks of one lane, and the most that were not run or wait: 100 wait at most. */
const TICKS = 100;
const UNRUN = 2 * TICKS;

/** The drawn range, and its width. */
type TickRange = DrawnRange & { readonly px: number };

/** The ticks that were not run or wait, the undecided ones, and the coming ones, oldest first. */
async function ticksOf(
  source: Source,
  { schedule, unattended, overdue: late }: ScheduleState,
  { from, to, px, now }: TickRange,
): Promise<TickView[]> {
  const { name } = schedule;
  const decided = await source.hub.reads.get(`ticks ${from} ${to} ${name}`, [name], () =>
    take(source.scheduler.ticks(name, { from, to, unrun: true, limit: UNRUN }), UNRUN),
  );
  const isAlone = unattended !== undefined;
  const coming = upcoming(schedule, { from: Math.max(from, now), to, px }).map((tick) =>
    comingTick(name, tick, isAlone),
  );
  const overdue = late !== undefined && late.until >= from && late.at < to ? overdueEntry(name, late) : [];
  return [...[...decided.toReversed(), ...overdue].map((tick) => tickView(tick, source)), ...coming];
}

/**
 * The coming ticks up to the end of the range: as many as a reader can distinguish, and at most `TICKS`.
 * Without gaps between them, the ticks of a job that is due each second would end after a minute.
 */
function upcoming(schedule: ScheduleView, { from, to, px }: Omit<TickRange, "now">): NextTick[] {
  const gap = Math.max((3 * (to - from)) / px, (to - from) / TICKS);
  const ticks: NextTick[] = [];
  for (let tick = schedule.upcoming(from - 1); tick !== undefined && tick.due < to; ) {
    // The first tick already reports the waiting ones.
    const { waiting: _, ...rest } = tick;
    if (tick.due >= from) ticks.push(ticks.length === 0 ? tick : rest);
    tick = schedule.upcoming(Math.max(tick.at, Math.floor(tick.at + gap) - 1));
  }
  return ticks;
}
