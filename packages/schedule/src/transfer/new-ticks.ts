import { isDeepStrictEqual } from "node:util";
import { type Channel, isChannelError, type Op } from "@ojm/core";
import type { ImportCount } from "@ojm/core/internal";
import { outcomeOps } from "../store/outcome-ops.js";
import { type SchedulesValue, TICK_TTL, type TickValue, tickKey } from "../store/schema.js";
import { isTick } from "../store/valid.js";
import type { ExportedTick } from "./types.js";

/** Counts what becomes of parts. */
export class Counter implements ImportCount {
  imported = 0;
  present = 0;
  readonly leftOut: Record<string, number> = {};

  leaveOut(reason: string, count = 1): void {
    this.leftOut[reason] = (this.leftOut[reason] ?? 0) + count;
  }
}

const DECIDED = "the store has an outcome for this tick";

/**
 * Writes outcomes of ticks of one schedule, in order, where the store has none: neither under the same tick,
 * nor as a part of a range.
 */
export async function addTicks(
  channel: Channel<SchedulesValue>,
  ticks: readonly ExportedTick[],
  now: number,
  counter: Counter,
): Promise<void> {
  const known = await decidedAround(channel, ticks);
  const added: ExportedTick[] = [];
  for (const tick of ticks) {
    const own = known.get(tick.at);
    if (own !== undefined && isDeepStrictEqual(own, outcomeOf(tick))) counter.present++;
    else if (isDecided(known, tick)) counter.leaveOut(DECIDED);
    else if (tick.decided + TICK_TTL <= now) counter.leaveOut("it is older than 30 days");
    else added.push(tick);
  }
  await put(channel, added, now, counter);
}

async function put(
  channel: Channel<SchedulesValue>,
  ticks: readonly ExportedTick[],
  now: number,
  counter: Counter,
): Promise<void> {
  let left = ticks;
  while (left.length > 0) {
    const ops = left.flatMap((tick): Op<SchedulesValue>[] => {
      const key = tickKey(tick.schedule, tick.at);
      // By the clock of the store that the tick comes from, it may have been decided in the future.
      const ttl = Math.min(TICK_TTL, tick.decided + TICK_TTL - now);
      return [{ check: key, version: null }, ...outcomeOps(tick.schedule, tick.at, outcomeOf(tick), ttl)];
    });
    const result = await channel.commit(ops).catch((error: unknown) => {
      if (!isChannelError(error) || error.code !== "TOO_LARGE") throw error;
      return undefined;
    });
    if (result === undefined) {
      counter.leaveOut("it is too large for this store", left.length);
      return;
    }
    if (result.ok) {
      counter.imported += left.length;
      return;
    }
    const taken = new Set(result.failed.map(({ key }) => (key as readonly unknown[])[2]));
    counter.leaveOut(DECIDED, taken.size);
    left = left.filter(({ at }) => !taken.has(at));
  }
}

/** The outcomes that the store has from the first of these ticks to the last, and the one before. */
async function decidedAround(
  channel: Channel<SchedulesValue>,
  ticks: readonly ExportedTick[],
): Promise<Map<number, TickValue>> {
  const known = new Map<number, TickValue>();
  const [first] = ticks;
  if (first === undefined) return known;
  const { schedule: name } = first;
  const last = Math.max(...ticks.map(({ at, until = at }) => until));
  const prefix = ["tick", name];
  const before = { prefix, before: tickKey(name, first.at), reverse: true, limit: 1 };
  const within = { prefix, after: tickKey(name, first.at - 1), before: tickKey(name, last + 1) };
  for (const range of [before, within]) {
    for await (const { key, value } of channel.entries(range)) {
      const [, , at] = key as readonly unknown[];
      if (typeof at === "number" && isTick(value)) known.set(at, value);
    }
  }
  return known;
}

function isDecided(known: ReadonlyMap<number, TickValue>, { at, until = at }: ExportedTick): boolean {
  for (const [first, { until: last = first }] of known) if (first <= until && last >= at) return true;
  return false;
}

function outcomeOf({ schedule: _, at: __, ...value }: ExportedTick): TickValue {
  return value;
}
