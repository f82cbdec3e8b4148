import type { ScheduleDefinition } from "../definition/types.js";
import type { Pause } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { isSchedule } from "../store/valid.js";
import { type NextTick, nextTicks } from "./next.js";

/** A schedule as the store has it. */
export interface ScheduleSummary {
  readonly name: string;
  readonly definition: ScheduleDefinition;
  /** How often its definition was replaced by a newer one. */
  readonly revision: number;
  /** The pause that goes on. */
  readonly paused?: Pause;
  /** Its next ticks. */
  readonly next: readonly NextTick[];
}

/** The schedules of a store, ordered by name, each with its next ticks. Skips what no scheduler wrote. */
export async function* schedulesOf(
  { channel, clock }: ScheduleStore,
  limit: number,
  holds: ReadonlyMap<string, number>,
): AsyncGenerator<ScheduleSummary, void, undefined> {
  for await (const { value } of channel.entries({ prefix: ["schedule"] })) {
    if (!isSchedule(value)) continue;
    const { name, definition, revision, paused } = value;
    const next = nextTicks(value, clock.now(), limit, holds.get(name));
    const isPaused = paused !== undefined && (paused.until === undefined || paused.until > clock.now());
    yield { name, definition, revision, next, ...(isPaused && { paused }) };
  }
}
