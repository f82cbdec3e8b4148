import type { Entry, Reason } from "@ojm/core";
import { holdOf, visible } from "@ojm/core/backend";
import { WORDS, whyNotRun } from "../decide/why-not-run.js";
import { windowAt } from "../definition/blackout.js";
import type { SchedulesValue, StoredSchedule } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { nextTicks } from "./next.js";
import { schedulersOf } from "./overview.js";
import { type ScheduleTick, ticksOf } from "./ticks.js";

/** Why the job of a schedule does not run now: see {@link Scheduler.why}. */
export interface ScheduleReason {
  /**
   * Those of core's `Reason`, and:
   * - `paused`, `blackout`: the schedule starts nothing now.
   * - `nobody`: no process is there that can run it.
   * - `tick`: what became of the last tick. `next`: when the next one is.
   * - `unscheduled`: the store has no schedule of this name.
   */
  readonly code: Reason["code"] | "paused" | "blackout" | "nobody" | "tick" | "next" | "unscheduled";
  /** The reason in words, safe to show on a terminal. */
  readonly text: string;
  /** The evidence of core's reasons, and the last tick. */
  readonly reason?: Reason;
  readonly tick?: ScheduleTick;
}

/** Puts what the schedule says around the reasons of the manager: first what stops it, last what comes. */
export async function whyScheduled(
  store: ScheduleStore,
  name: string,
  reasons: readonly Reason[],
): Promise<ScheduleReason[]> {
  const own = reasons.map((reason): ScheduleReason => ({ code: reason.code, text: reason.text, reason }));
  const schedule = await store.schedule(name);
  if (schedule === undefined) {
    return [...own, { code: "unscheduled", text: `this store has no schedule "${visible(name)}"` }];
  }
  const now = store.clock.now();
  return [
    ...stops(schedule.value, now),
    ...(await nobody(store, schedule.value)),
    ...own,
    ...(await lastTick(store, name)),
    ...nextTick(schedule.value, now, reasons),
  ];
}

function stops({ paused, definition }: StoredSchedule, now: number): ScheduleReason[] {
  const found: ScheduleReason[] = [];
  if (paused !== undefined && (paused.until === undefined || now < paused.until)) {
    const until = paused.until === undefined ? "until it is resumed" : `until ${iso(paused.until)}`;
    const text = `the schedule is paused by ${visible(paused.by)} ${until}: ${visible(paused.reason)}`;
    found.push({ code: "paused", text });
  }
  const window = windowAt(definition.blackout, now);
  if (window !== undefined) {
    const why = window.reason === undefined ? "" : `: ${visible(window.reason)}`;
    found.push({ code: "blackout", text: `a blackout lasts until ${iso(window.to)}${why}` });
  }
  return found;
}

/** A scheduler whose process died is there until its entry expires. */
async function nobody({ channel }: ScheduleStore, { name, hash }: StoredSchedule): Promise<ScheduleReason[]> {
  const members: Entry<SchedulesValue>[] = [];
  for await (const entry of channel.entries({ prefix: ["member"] })) members.push(entry);
  const known = schedulersOf(members).flatMap(({ schedules }) => schedules.get(name) ?? []);
  if (known.includes(hash)) return [];
  const text =
    known.length === 0
      ? "no process that runs this schedule is there"
      : "the processes that are there have an older definition of this schedule";
  return [{ code: "nobody", text }];
}

async function lastTick(store: ScheduleStore, name: string): Promise<ScheduleReason[]> {
  for await (const tick of ticksOf(store, name, { limit: 1 })) {
    const { at, until = at, outcome, run } = tick;
    const words = whyNotRun(tick);
    const why = words === undefined ? "" : `: ${words}`;
    const what = run === undefined ? outcome : `run, as ${visible(run)}`;
    return [{ code: "tick", text: `the last tick, of ${iso(until)}, was ${what}${why}`, tick }];
  }
  return [];
}

function nextTick(schedule: StoredSchedule, now: number, reasons: readonly Reason[]): ScheduleReason[] {
  const lock = reasons.find(({ code }) => code === "maintenance")?.lock;
  return nextTicks(schedule, now, 1, lock && holdOf(lock)?.until).map(({ at, skipped }) => {
    const why = skipped === "held" ? "the job is on hold then" : skipped && WORDS[skipped];
    const then = why === undefined ? "" : `, and will be skipped: ${why}`;
    return { code: "next", text: `the next tick is at ${iso(at)}${then}` };
  });
}

const iso = (at: number): string => new Date(at).toISOString();
