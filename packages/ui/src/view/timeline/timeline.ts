import type { ScheduleSummary } from "@ojm/schedule";
import type { TickView } from "../../contract/now.js";
import type { Lane, Timeline } from "../../contract/timeline.js";
import { type NamesAsked, pageOf } from "../jobs/jobs.js";
import { comingTick, decidedTick } from "../now/ticks.js";
import { fitting, mapSome, type Source, take } from "../source.js";
import { barsOf, type Drawn } from "./bars.js";

/** The most runs of one lane that are read: the newest. */
const RUNS = 1_500;

/** How many lanes are read at once. */
const AT_ONCE = 8;

/** The most ticks of one lane, of those to come and of those that were not run. */
const TICKS = 100;

/** A run may have begun so long before what is shown, and reach into it. */
const BEFORE = 86_400_000;

/** Which part of the timeline is asked for. */
export interface TimelineAsked extends NamesAsked {
  readonly from: number;
  readonly to: number;
  readonly px: number;
}

/** The runs and ticks of all jobs. */
export async function timelineOf(source: Source, asked: TimelineAsked): Promise<Timeline> {
  const { from, to } = asked;
  const schedules = new Map<string, ScheduleSummary>();
  for await (const schedule of source.scheduler.schedules({ limit: 1 })) schedules.set(schedule.name, schedule);
  const page = pageOf([...(await source.hub.names()), ...schedules.keys()], asked);
  const lanes: Lane[] = [];
  for (let i = 0; i < page.names.length; i += AT_ONCE) {
    const some = page.names.slice(i, i + AT_ONCE);
    lanes.push(...(await mapSome(some, (name) => laneOf(source, name, schedules.has(name), asked))));
    // What does not fit is not read either.
    const fit = fitting(lanes);
    if (fit.more) return { from, to, lanes: fit.items, more: true };
  }
  return { from, to, lanes, more: page.more };
}

async function laneOf(source: Source, name: string, isScheduled: boolean, asked: TimelineAsked): Promise<Lane> {
  const { from, to, px } = asked;
  const now = Date.now();
  const [runs, ticks] = await Promise.all([
    take(source.manager.history({ name, from: from - BEFORE, to, limit: RUNS }), RUNS),
    isScheduled ? ticksOf(source, name, asked, now) : [],
  ]);
  const drawn = runs
    .map(({ id, startTime, endTime, status }): Drawn => ({ id, start: startTime, end: endTime ?? now, status }))
    .filter(({ end }) => end >= from)
    .reverse();
  return { name, bars: barsOf(drawn, (to - from) / px), ticks };
}

/** The ticks that were not run, and those to come, oldest first. */
async function ticksOf(
  { scheduler }: Source,
  name: string,
  { from, to, px }: TimelineAsked,
  now: number,
): Promise<TickView[]> {
  const decided: TickView[] = [];
  let looks = 0;
  for await (const tick of scheduler.ticks(name, { from, to })) {
    if (tick.outcome !== "run") decided.push(decidedTick(tick));
    if (decided.length === TICKS || ++looks === RUNS) break;
  }
  const coming =
    to <= now
      ? []
      : (await scheduler.next(name, { limit: TICKS }))
          .filter(({ due }) => due >= from && due < to)
          .map((tick) => comingTick(name, tick));
  return [...decided.reverse(), ...sparse(coming, (to - from) / px)];
}

/** One tick for each few pixels: more cannot be told apart. */
function sparse(ticks: readonly TickView[], pixel: number): TickView[] {
  let last = Number.NEGATIVE_INFINITY;
  return ticks.filter(({ due }) => {
    if (due - last < 3 * pixel) return false;
    last = due;
    return true;
  });
}
