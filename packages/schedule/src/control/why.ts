import type { JobManager, Maintenance, Reason } from "@ojm/core";
import { holdOf, maintenanceText, visible } from "@ojm/core/internal";
import { whyNotRun } from "../decide/outcomes.js";
import { windowAt } from "../definition/blackout.js";
import { isReadable } from "../definition/check.js";
import { isTakenOver } from "../operator/problems.js";
import { attendanceOf, attendanceText, overdueTicks } from "../operator/schedules.js";
import { type Cursor, NO_REVISION, pauseAt, type StoredSchedule } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { type NextTick, nextRun, nextTicks, readSchedulers, type SchedulerView, viewOf } from "./overview.js";
import { backfillsOf } from "./requests.js";
import { decidedIn, type ScheduleTick } from "./ticks.js";

/** Why the job of a schedule does not run now: see {@link Scheduler.why}. */
export interface ScheduleReason {
  /**
   * Those of core's `Reason`, and:
   * - `paused`, `blackout`: the schedule starts nothing now.
   * - `maintenance-window`: a maintenance keeps its ticks from running.
   * - `unattended`: no living process can run it.
   * - `overdue`: living processes have not decided due ticks.
   * - `waiting`: ticks wait for their run. `backfill`: a backfill of past ticks was requested.
   * - `unreadable`: a later version of ojm wrote its definition, and this one does not know its ticks.
   * - `ready`: nothing keeps it from running. It is then the first reason.
   * - `tick`: the outcome of the last tick. `next`: the time of the next one.
   * - `unscheduled`: the store has no schedule of this name, and the job either has no run or had a schedule.
   */
  readonly code:
    | Reason["code"]
    | "paused"
    | "blackout"
    | "maintenance-window"
    | "unattended"
    | "overdue"
    | "waiting"
    | "backfill"
    | "unreadable"
    | "ready"
    | "tick"
    | "next"
    | "unscheduled";
  /** The reason in words, safe to show on a terminal. */
  readonly text: string;
  /** The evidence of core's reasons, the maintenance, and the last tick. */
  readonly reason?: Reason;
  readonly maintenance?: Maintenance;
  readonly tick?: ScheduleTick;
}

/** Adds the reasons of the schedule to those of the manager: first what stops it, last what comes next. */
export async function whyScheduled(
  store: ScheduleStore,
  manager: Pick<JobManager, "why">,
  name: string,
): Promise<ScheduleReason[]> {
  const [{ schedule, cursor }, tick, filling, living] = await Promise.all([
    store.read(name),
    lastTick(store, name),
    backfilling(store, name),
    readSchedulers(store.channel),
    store.maintenance.read(),
  ]);
  const definition = schedule?.value.definition;
  // The next run has the permits and the rate of the definition. Those of the last run may be others.
  const takes = definition !== undefined && isReadable(definition) ? definition : undefined;
  const reasons = await manager.why(name, takes);
  const own = reasons.map((reason) => withSchedulers({ code: reason.code, text: reason.text, reason }, living));
  if (schedule === undefined) {
    const without = unscheduled(name, reasons, tick);
    const stopping = without.filter(({ code }) => code === "unscheduled");
    return [...ready(stopping, reasons, withoutSchedule(reasons, tick)), ...own, ...without];
  }
  const now = store.clock.now();
  const { value } = schedule;
  const maintenance = store.maintenance.of(name);
  const stopping = [
    ...unreadable(value),
    ...(maintenance === undefined
      ? []
      : [{ code: "maintenance-window" as const, text: maintenanceText(maintenance), maintenance }]),
    ...stops(value, now),
    ...attendance(store, value, { cursor: cursor?.value, maintenance, living, now }),
    ...waiting(cursor?.value),
    ...filling,
  ];
  const [waits, first] = [stopping.filter(isWaiting), stopping.filter((reason) => !isWaiting(reason))];
  return [
    ...ready(stopping, reasons),
    ...first,
    ...own,
    ...waits,
    ...tick,
    ...nextTick(value, now, { reasons, maintenance }),
  ];
}

/**
 * Completes a reason about an attempt whose process is gone: core does not know the schedulers, and reports
 * each such attempt as orphaned.
 */
function withSchedulers(own: ScheduleReason, living: readonly SchedulerView[]): ScheduleReason {
  const { reason } = own;
  if (reason?.orphaned === undefined || reason.next === undefined || !isTakenOver(reason.next, living)) return own;
  const { orphaned, ...rest } = reason;
  const end = ". Its process is gone: a living scheduler of the job takes the attempt over";
  const text = `${own.text.slice(0, -orphaned.length)}${end}`;
  return { ...own, text, reason: { ...rest, text } };
}

const isWaiting = ({ code }: ScheduleReason): boolean => code === "waiting" || code === "backfill";

/** The reason `ready`, if nothing stops the job: without it, the last run would look like the reason. */
function ready(stopping: readonly ScheduleReason[], reasons: readonly Reason[], more = ""): ScheduleReason[] {
  const isKept =
    stopping.length > 0 || reasons.some(({ code }) => code !== "last" && code !== "never" && code !== "once");
  return isKept ? [] : [{ code: "ready", text: `nothing keeps it from running${more}` }];
}

/** What starts a job that never had a schedule, so that its reader does not wait for a tick. */
function withoutSchedule(reasons: readonly Reason[], tick: readonly ScheduleReason[]): string {
  const last = reasons.find(({ code }) => code === "last")?.run;
  if (last === undefined || last.tick !== undefined || tick.length > 0) return "";
  return `. It has no schedule: the trigger of its last run is "${visible(last.trigger)}"`;
}

/**
 * Reports that the schedule is missing, except for a job that only people or another scheduler start: it
 * needs no schedule.
 */
function unscheduled(name: string, reasons: readonly Reason[], tick: readonly ScheduleReason[]): ScheduleReason[] {
  if (tick.length === 0 && reasons.some(({ code }) => code !== "never")) return [];
  if (tick.some((reason) => reason.tick?.revision === NO_REVISION)) return [...tick];
  return [...tick, { code: "unscheduled", text: `this store has no schedule "${visible(name)}"` }];
}

function unreadable({ definition }: StoredSchedule): ScheduleReason[] {
  if (isReadable(definition)) return [];
  const text =
    "its definition has options that this version of ojm does not know: only processes that know them run it";
  return [{ code: "unreadable", text }];
}

function stops(schedule: StoredSchedule, now: number): ScheduleReason[] {
  const found: ScheduleReason[] = [];
  const paused = pauseAt(schedule, now);
  if (paused !== undefined) {
    const until = paused.until === undefined ? "until it is resumed" : `until ${iso(paused.until)}`;
    const text = `the schedule is paused by ${visible(paused.by)} ${until}: ${visible(paused.reason)}`;
    found.push({ code: "paused", text });
  }
  const { definition } = schedule;
  const window = isReadable(definition) ? windowAt(definition.blackout, now) : undefined;
  if (window !== undefined) {
    const why = window.reason === undefined ? "" : `: ${visible(window.reason)}`;
    found.push({ code: "blackout", text: `a blackout lasts until ${iso(window.to)}${why}` });
  }
  return found;
}

/** The reason that no process runs it, or that the living ones have not decided its ticks. */
function attendance(
  { channel }: ScheduleStore,
  schedule: StoredSchedule,
  {
    cursor,
    maintenance,
    living,
    now,
  }: {
    readonly cursor: Cursor | undefined;
    readonly maintenance: Maintenance | undefined;
    readonly living: readonly SchedulerView[];
    readonly now: number;
  },
): ScheduleReason[] {
  const unattended = attendanceOf(living)(schedule);
  const overdue = cursor && overdueTicks(viewOf(channel, schedule, cursor, { maintenance }), now);
  const text = attendanceText(unattended, overdue);
  return text === undefined ? [] : [{ code: unattended === undefined ? "overdue" : "unattended", text }];
}

function waiting(cursor: Cursor | undefined): ScheduleReason[] {
  const [first, ...others] = cursor?.waiting ?? [];
  if (first === undefined) return [];
  const text =
    others.length === 0
      ? `one tick waits for its run, since ${iso(first)}`
      : `${others.length + 1} ticks wait for their run, the first since ${iso(first)}`;
  return [{ code: "waiting", text }];
}

/** The unfinished backfills. Their runs begin one after the other, so other reasons do not explain a wait. */
async function backfilling(store: ScheduleStore, name: string): Promise<ScheduleReason[]> {
  const found: ScheduleReason[] = [];
  for await (const { by, reason, from, to, ticks, remaining } of backfillsOf(store, name)) {
    const how = `${ticks - remaining} of ${ticks} ticks from ${iso(from)} to ${iso(to)} have begun`;
    found.push({ code: "backfill", text: `a backfill by ${visible(by)} is running: ${how}: ${visible(reason)}` });
  }
  return found;
}

async function lastTick(store: ScheduleStore, name: string): Promise<ScheduleReason[]> {
  for await (const tick of decidedIn(store.channel, name, { limit: 1 })) {
    const { at, until = at } = tick;
    return [{ code: "tick", text: `the last tick, of ${iso(until)}, ${outcomeText(tick)}`, tick }];
  }
  return [];
}

/** The outcome of a tick, as the end of a sentence about it. */
export function outcomeText(tick: Omit<ScheduleTick, "outcome"> & { readonly outcome: string }): string {
  const { outcome, run } = tick;
  if (outcome === "overdue") return "has no outcome: no process has decided on it";
  if (outcome === "waiting") return "waits for its run, behind those before it";
  const words = whyNotRun(tick);
  return `was ${run === undefined ? outcome : `run, as ${visible(run)}`}${words === undefined ? "" : `: ${words}`}`;
}

const WILL: Readonly<Record<NonNullable<NextTick["skipped"]>, string>> = {
  paused: "the schedule is paused",
  blackout: "it falls into a blackout",
  maintenance: "at the end of the maintenance, its missed rule decides whether it is run late",
  held: "the job is on hold then",
};

function nextTick(
  schedule: StoredSchedule,
  now: number,
  { reasons, maintenance }: { readonly reasons: readonly Reason[]; readonly maintenance: Maintenance | undefined },
): ScheduleReason[] {
  const lock = reasons.find(({ code }) => code === "maintenance")?.lock;
  const ahead = { held: lock && holdOf(lock)?.until, maintenance };
  if (!isReadable(schedule.definition)) return [];
  return nextTicks(schedule, now, 1, ahead).map(({ at, skipped }) => {
    const text = `the next tick is at ${iso(at)}`;
    if (skipped === undefined) return { code: "next", text };
    const run = nextRun(schedule, now, ahead);
    const then = run === undefined ? "" : `. The next one that runs is at ${iso(run.at)}`;
    const will = skipped === "maintenance" ? "waits" : "will be skipped";
    return { code: "next", text: `${text}, and ${will}: ${WILL[skipped]}${then}` };
  });
}

const iso = (at: number): string => new Date(at).toISOString();
