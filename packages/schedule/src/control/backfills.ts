import { readable } from "@ojm/core/internal";
import { countTicks } from "../calendar/search.js";
import { calendarOf } from "../definition/calendar.js";
import { type RequestValue, requestKey } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { isRequest } from "../store/valid.js";
import { countRun } from "./ask.js";

/** Ticks are counted up to this number, as many as a backfill may have. */
const MOST = 10_000;

/** A backfill that is not done. Times are in ms since 1970. */
export interface BackfillProgress {
  readonly id: string;
  /** The name of the schedule. */
  readonly schedule: string;
  /** The person or program that asked for it, when, and why. */
  readonly by: string;
  readonly at: number;
  readonly reason: string;
  /** The time whose ticks are run: from the first to the last ms. */
  readonly from: number;
  readonly to: number;
  /** Whether ticks that were run already are run again. */
  readonly again: boolean;
  /** How many ticks it is to run, and how many it has not begun. Those that were run before do not count. */
  readonly ticks: number;
  readonly left: number;
  /** The id of the run that was started last. It may go on. */
  readonly run?: string;
}

/** Who stops a backfill, and why. */
export interface StopOptions {
  readonly reason: string;
  /** The person or program that stops it. Default: the host and process. */
  readonly author?: string;
}

/** The backfills of a schedule, or of all, that are not done. */
export async function* backfillsOf(
  store: ScheduleStore,
  name: string | undefined,
): AsyncGenerator<BackfillProgress, void, undefined> {
  const prefix = name === undefined ? ["request"] : ["request", name];
  for await (const { key, value } of readable(store.channel, { prefix })) {
    const [, schedule, id] = key as readonly unknown[];
    if (!isRequest(value) || value.type !== "backfill") continue;
    yield await progressOf(store, String(schedule), String(id), value);
  }
}

/** Deletes the requests, so that no further run can claim one of their ticks. */
export async function stopBackfills(
  store: ScheduleStore,
  name: string,
  { reason, by: author }: Pick<RequestValue, "reason" | "by">,
): Promise<BackfillProgress[]> {
  const stopped: BackfillProgress[] = [];
  for await (const { id } of backfillsOf(store, name)) {
    const key = requestKey(name, id);
    for (;;) {
      // Each run that begins meanwhile changes the request.
      const entry = await store.channel.entry(key);
      if (entry === undefined || !isRequest(entry.value)) break;
      const progress = await progressOf(store, name, id, entry.value);
      const { ticks, left } = progress;
      const noted = store.noted({ action: "stop-backfill", name, reason, author, details: { ticks, left } });
      const ops = [{ check: key, version: entry.version }, { delete: key }];
      if (!(await store.channel.commitWith<unknown[]>(ops, [noted])).ok) continue;
      stopped.push(progress);
      break;
    }
  }
  return stopped;
}

async function progressOf(
  store: ScheduleStore,
  schedule: string,
  id: string,
  { by, at, reason, from = 0, to = 0, again, first = from, ticks, last }: RequestValue,
): Promise<BackfillProgress> {
  // A schedule that was removed has no calendar: nobody runs what is left then.
  const stored = await store.schedule(schedule);
  const calendar = stored && calendarOf(stored.value.definition);
  const rest = calendar === undefined ? 0 : countTicks(calendar, calendar.next(from), to + 1, MOST);
  const ran = calendar && again !== true ? await countRun(store, schedule, calendar, from + 1, to + 1) : 0;
  const left = Math.max(0, rest - ran);
  const counts = { ticks: ticks ?? left, left };
  return {
    id,
    schedule,
    by,
    at,
    reason,
    from: first,
    to,
    again: again === true,
    ...counts,
    ...(last !== undefined && { run: last }),
  };
}
