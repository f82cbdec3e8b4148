import type { Op } from "@ojm/core";
import { MARK, type SchedulesValue, TICK_TTL, type TickValue, tickKey, unrunKey } from "./schema.js";

/**
 * The ops that write what became of a tick, or of a range that begins at it. Of a thousand ticks some few are
 * not run, and these are what people look for: each has a mark, which is as long in the store as the outcome.
 */
export function outcomeOps(name: string, at: number, value: TickValue, ttl: number = TICK_TTL): Op<SchedulesValue>[] {
  const put: Op<SchedulesValue> = { put: tickKey(name, at), value, ttl };
  return value.outcome === "run" ? [put] : [put, { put: unrunKey(name, at), value: MARK, ttl }];
}
