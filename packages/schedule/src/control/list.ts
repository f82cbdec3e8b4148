import { Breaks, type Hold } from "@ojm/core/internal";
import { isReadable } from "../definition/check.js";
import type { CheckedDefinition } from "../definition/types.js";
import { pauseAt } from "../operator/schedules.js";
import type { Pause } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { cursorsIn, type NextTick, nextRun, nextTicks, schedulesUnder } from "./overview.js";
import { known } from "./pause.js";

/** A schedule in the store. */
export interface ScheduleSummary {
  readonly name: string;
  readonly definition: CheckedDefinition;
  /** Identifies its definition, see {@link ScheduleView.hash}. */
  readonly hash: string;
  /** The number of times that a newer definition replaced it. */
  readonly revision: number;
  /** The current pause. */
  readonly paused?: Pause;
  /** Its next ticks. */
  readonly next: readonly NextTick[];
  /** The next tick that will be run, as of now. Absent while a pause or blackouts have no end. */
  readonly nextRun?: NextTick;
}

/**
 * The schedules of a store, ordered by name, each with its next ticks. Skips entries that no scheduler wrote.
 */
export async function* schedulesOf(
  { channel, clock }: ScheduleStore,
  limit: number,
  holds: ReadonlyMap<string, Hold>,
): AsyncGenerator<ScheduleSummary, void, undefined> {
  const cursors = await cursorsIn(channel);
  // Parsing a cron expression takes more than a millisecond, so give the event loop a turn now and then.
  const breaks = new Breaks();
  for await (const value of schedulesUnder(channel)) {
    await breaks.take();
    // Without its definition, only its name is known.
    if (!isReadable(value.definition)) continue;
    const { name, definition, hash, revision } = value;
    const ahead = { held: holds.get(name)?.until, cursor: cursors.get(name) };
    const next = nextTicks(value, clock.now(), limit, ahead);
    const run = nextRun(value, clock.now(), ahead);
    const paused = pauseAt(value, clock.now());
    yield { name, definition, hash, revision, next, ...(run && { nextRun: run }), ...(paused && { paused }) };
  }
}

/**
 * The next ticks of one schedule.
 *
 * @throws ScheduleError `UNKNOWN`
 */
export async function nextOf(
  store: ScheduleStore,
  name: string,
  limit: number,
  holds: ReadonlyMap<string, Hold>,
): Promise<NextTick[]> {
  const [{ value }, cursor] = await Promise.all([known(store, name), store.cursor(name)]);
  return nextTicks(value, store.clock.now(), limit, { held: holds.get(name)?.until, cursor: cursor?.value });
}
