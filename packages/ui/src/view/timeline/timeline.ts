import type { ScheduleState } from "@ojm/schedule/operator";
import type { Lane, Missing, Timeline } from "../../contract/types.js";
import { type NamesQuery, pageOf } from "../jobs/jobs.js";
import { statesIn } from "../schedules.js";
import { Fitting, mapSome, type Source } from "../source.js";
import { barsOf, sizeOf } from "./bars.js";
import { countLanes, type DrawnRuns, type LaneReader, missingOf } from "./drawn.js";
import { ticksOf } from "./ticks.js";

/** How many lanes are read at once. */
const AT_ONCE = 8;

/** The requested part of the timeline. */
export interface TimelineQuery extends NamesQuery {
  readonly from: number;
  readonly to: number;
  readonly px: number;
}

/** A lane, and the range in which its runs are missing. */
interface ReadLane extends Pick<DrawnRuns, "missing"> {
  readonly lane: Lane;
}

/** The runs and ticks of all jobs. */
export async function timelineOf(source: Source, asked: TimelineQuery): Promise<Timeline> {
  const [names, store] = await Promise.all([source.hub.names(), source.hub.store()]);
  const page = pageOf([...names, ...store.scheduleNames()], asked);
  const stateOf = statesIn(store);
  const { from, to } = asked;
  const now = Date.now();
  const reader = await countLanes(source, page.names, { from, to, now });
  const reading: Reading = { source, reader, asked, now };
  const fit = new Fitting<ReadLane>();
  for (let i = 0; i < page.names.length; i += AT_ONCE) {
    const some = page.names.slice(i, i + AT_ONCE);
    const lanes = await mapSome(some, (name) => laneOf(reading, name, stateOf(name)));
    // Stop reading once a lane does not fit.
    if (!lanes.every((read) => fit.add(read, sizeOf(read.lane)))) break;
  }
  const { items } = fit;
  return timeline(asked, items, page.more || items.length < page.names.length);
}

function timeline({ from, to }: TimelineQuery, read: readonly ReadLane[], more: boolean): Timeline {
  const missing: Missing | undefined = missingOf(read);
  return { from, to, lanes: read.map(({ lane }) => lane), more, ...(missing && { missing }) };
}

interface Reading {
  readonly source: Source;
  readonly reader: LaneReader;
  readonly asked: TimelineQuery;
  readonly now: number;
}

async function laneOf(
  { source, reader, asked, now }: Reading,
  name: string,
  schedule: ScheduleState | undefined,
): Promise<ReadLane> {
  const { from, to, px } = asked;
  const [{ drawn, missing }, ticks] = await Promise.all([
    reader.runsOf(name),
    schedule === undefined ? [] : ticksOf(source, schedule, { ...asked, now }),
  ]);
  return { lane: { name, bars: barsOf(drawn, (to - from) / px), ticks }, ...(missing && { missing }) };
}
