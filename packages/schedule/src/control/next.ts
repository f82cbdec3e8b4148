import type { JobManager } from "@ojm/core";
import { holdOf } from "@ojm/core/backend";
import { ScheduleError } from "../calendar/schedule.js";
import { windowAt } from "../definition/blackout.js";
import { calendarOf, dueTime } from "../definition/calendar.js";
import type { StoredSchedule } from "../store/schema.js";

/** The most ticks that are looked ahead. */
const MOST = 10_000;

/** A tick that is to come. */
export interface NextTick {
  /** In ms since 1970. */
  readonly at: number;
  /** `at`, and the delay by its jitter. */
  readonly due: number;
  /** Why it will not be run, as it is now. `held`: a person holds the job until after it is due. */
  readonly skipped?: "paused" | "blackout" | "held";
}

/** The next `limit` ticks of a schedule after `now`. `held`: until when a person holds the job. */
export function nextTicks(of: StoredSchedule, now: number, limit: number, held = 0): NextTick[] {
  const { name, definition } = of;
  if (!Number.isInteger(limit) || limit < 0 || limit > MOST) {
    throw new ScheduleError("INVALID", `"limit" is a whole number from 0 to ${MOST}, not ${String(limit)}`, "limit");
  }
  const schedule = calendarOf(definition);
  const ticks: NextTick[] = [];
  for (let at = schedule.next(now); ticks.length < limit; at = schedule.next(at)) {
    const due = dueTime(name, definition, at);
    const skipped = skippedAt(of, at) ?? (due < held && (definition.overlap ?? "skip") === "skip" ? "held" : undefined);
    ticks.push(skipped === undefined ? { at, due } : { at, due, skipped });
  }
  return ticks;
}

function skippedAt({ definition, paused }: StoredSchedule, at: number): "paused" | "blackout" | undefined {
  if (paused !== undefined && (paused.until === undefined || at < paused.until)) return "paused";
  return windowAt(definition.blackout, at) === undefined ? undefined : "blackout";
}

/** The jobs that people hold, and until when, in ms since 1970. */
export async function holdsOf(manager: Pick<JobManager, "locks">): Promise<ReadonlyMap<string, number>> {
  const holds = new Map<string, number>();
  for (const lock of await manager.locks()) {
    const hold = holdOf(lock);
    if (hold !== undefined) holds.set(lock.name, hold.until);
  }
  return holds;
}
