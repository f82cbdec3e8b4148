import type { Holder, JsonValue, Key } from "@ojm/core";
import { ScheduleError } from "../calendar/schedule.js";
import { type TickOutcome, type TickReason, tickKey } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { isTick } from "../store/valid.js";
import { instantOf } from "./pause.js";

/** Which ticks are listed. */
export interface TicksOptions {
  /** Only ticks at this time or later: in ms since 1970, or in ISO 8601. */
  readonly from?: number | string | Date;
  /** Only ticks before this time. */
  readonly to?: number | string | Date;
  /** The most entries. */
  readonly limit?: number;
}

/** What became of a tick, or of all ticks from `at` to `until`. Times are in ms since 1970. */
export interface ScheduleTick {
  readonly schedule: string;
  readonly at: number;
  readonly outcome: TickOutcome;
  readonly reason?: TickReason;
  /** What the reason rests on, such as the holder of the lock. */
  readonly evidence?: { readonly [field: string]: JsonValue };
  /** The id of the run. */
  readonly run?: string;
  /** The last tick, and how many there are, if the entry is about several. With `more`, at least so many. */
  readonly until?: number;
  readonly count?: number;
  readonly more?: true;
  /** The process that decided, when, and by which revision of the definition. */
  readonly by: Holder;
  readonly decided: number;
  readonly revision: number;
}

/** The outcomes of the ticks of a schedule, newest first. */
export async function* ticksOf(
  { channel }: ScheduleStore,
  name: string,
  { from, to, limit = Number.POSITIVE_INFINITY }: TicksOptions,
): AsyncGenerator<ScheduleTick, void, undefined> {
  if (!(limit >= 0)) throw new ScheduleError("INVALID", `"limit" is a number from 0 up, not ${String(limit)}`, "limit");
  const first = from === undefined ? undefined : instantOf("from", from);
  const range = to === undefined ? {} : { before: tickKey(name, instantOf("to", to)) };
  let left = limit;
  for await (const tick of ticksIn(channel, name, { reverse: true, ...range })) {
    // A range that began before may reach into the time.
    if (first !== undefined && (tick.until ?? tick.at) < first) return;
    if (left-- <= 0) return;
    yield tick;
  }
}

/** The outcomes in a range of the store. */
export async function* ticksIn(
  channel: ScheduleStore["channel"],
  name: string,
  range: { readonly after?: Key; readonly before?: Key; readonly reverse?: boolean },
): AsyncGenerator<ScheduleTick, void, undefined> {
  for await (const { key, value } of channel.entries({ prefix: ["tick", name], ...range })) {
    const [, , at] = key as readonly unknown[];
    if (typeof at !== "number" || !isTick(value)) continue;
    const { calendar: _, ...tick } = value;
    yield { schedule: name, at, ...tick };
  }
}
