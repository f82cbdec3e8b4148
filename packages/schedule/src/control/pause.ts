import type { JobManager, Op, RunRecord } from "@ojm/core";
import { hasEnded, isStatus, isTriedAgain, present } from "@ojm/core/internal";
import { ScheduleError } from "../calendar/schedule.js";
import { settleAll } from "../decide/decide.js";
import { pausedWhy } from "../decide/outcomes.js";
import { assertReadable, show } from "../definition/check.js";
import {
  cursorKey,
  type Pause,
  pauseAt,
  removedKey,
  type SchedulesValue,
  type StoredSchedule,
  scheduleKey,
  TICK_TTL,
} from "../store/schema.js";
import type { ScheduleStore, Versioned } from "../store/store.js";

/** Why a schedule is paused, by whom, and for how long. */
export interface PauseOptions {
  readonly reason: string;
  /** The person or program that pauses it. Default: the host and process. */
  readonly author?: string;
  /** When the pause ends by itself: a time in ms since 1970, or in ISO 8601. */
  readonly until?: number | string | Date;
}

/** Who ends the pause of a schedule, or removes the schedule, and why, for the audit. */
export interface ResumeOptions {
  readonly reason?: string;
  readonly author?: string;
}

/**
 * A time as ms since 1970.
 *
 * @throws ScheduleError `INVALID`
 */
export function instantOf(setting: string, time: number | string | Date): number {
  const at = typeof time === "number" ? time : new Date(time).getTime();
  if (Number.isSafeInteger(at)) return at;
  const text = `"${setting}" is a time: in ms since 1970, or in ISO 8601 as "2026-12-24T00:00Z", not ${show(time)}`;
  throw new ScheduleError("INVALID", text, setting);
}

/** The schedule of this name. */
export async function known(store: ScheduleStore, name: string): Promise<Versioned<StoredSchedule>> {
  const schedule = await store.schedule(name);
  if (schedule !== undefined) return schedule;
  throw new ScheduleError("UNKNOWN", `there is no schedule "${name}" in this store`);
}

/** Pauses a schedule: after that no tick starts a run anywhere. Resolves to the pause that it replaces. */
export async function pause(store: ScheduleStore, name: string, paused: Pause): Promise<Pause | undefined> {
  const { until, at } = paused;
  // A pause that is already over would replace the current one, and pause nothing.
  if (until !== undefined && until <= at) {
    const text = `the pause of "${name}" must end in the future, and not at ${new Date(until).toISOString()}`;
    throw new ScheduleError("INVALID", text, "until");
  }
  for (;;) {
    const schedule = await known(store, name);
    if (await writePause(store, schedule, paused)) return pauseAt(schedule.value, at);
  }
}

/** Resolves to `false` if the schedule has changed. */
function writePause(store: ScheduleStore, schedule: Versioned<StoredSchedule>, paused: Pause): Promise<boolean> {
  const { value, version } = schedule;
  const { name } = value;
  const { reason, by: author, until } = paused;
  const details = until === undefined ? undefined : { until };
  const ops = [
    { check: scheduleKey(name), version },
    { put: scheduleKey(name), value: { ...value, paused } },
  ];
  return store.act(ops, { action: "pause", name, reason, author, ...present({ details }) });
}

/** Ends a pause. Its undecided ticks get their outcome in that commit. Resolves to whether there was one. */
export async function resume(store: ScheduleStore, name: string, who: ResumeOptions): Promise<boolean> {
  for (;;) {
    const now = store.clock.now();
    const { schedule, cursor } = await store.read(name);
    if (schedule === undefined) await known(store, name);
    if (schedule === undefined || cursor === undefined) return false;
    const { paused: _, ...rest } = schedule.value;
    const paused = pauseAt(schedule.value, now);
    if (paused === undefined) return false;
    // The ticks of the pause get their outcome here, and this version would compute other ones.
    assertReadable(schedule.value);
    const state = { schedule: schedule.value, cursor: cursor.value, now, began: now };
    const settled = settleAll(state, pausedWhy(paused));
    const writes = [
      { put: scheduleKey(name), value: { ...rest, resumed: now } },
      { put: cursorKey(name), value: settled.cursor },
    ];
    const noted = store.noted({ action: "resume", name, ...who });
    if ((await store.write({ schedule, cursor }, settled, writes, [noted])) !== undefined) return true;
  }
}

/** The most skipped or cancelled runs that are read past in the search for failed ones. */
const MOST_PASSED = 100;

/** Pauses a schedule after as many failures as its definition allows. Resolves to whether it did. */
export async function pauseAfterFailures(
  { manager, store }: { readonly manager: JobManager; readonly store: ScheduleStore },
  schedule: Versioned<StoredSchedule>,
): Promise<boolean> {
  const { name, definition, since, resumed = since, paused } = schedule.value;
  const { pauseAfter } = definition;
  if (pauseAfter === undefined) return false;
  const from = Math.max(resumed, paused?.until ?? 0);
  let failures = 0;
  let passed = 0;
  let latest: RunRecord | undefined;
  for await (const record of manager.history({ name, from })) {
    const { schedule: of, status, inError } = record;
    if (of !== name || !hasEnded(record) || isTriedAgain(record)) continue;
    // Such a run did not try the work, or was stopped on purpose, by a deploy or by a newer tick. It is not a
    // failure, and it does not end a series of failures. Nor does an end that only a later version of ojm
    // knows. Limit how many of them each tick reads.
    if (status === "skipped" || status === "cancelled" || !isStatus(status)) {
      if (++passed < MOST_PASSED) continue;
      return false;
    }
    if (inError !== true) return false;
    latest ??= record;
    if (++failures < pauseAfter) continue;
    const count = failures === 1 ? "its run" : `${failures} runs, one after the other,`;
    const { error = latest.status, id } = latest;
    const last = failures === 1 ? "" : "the last: ";
    const reason = `${count} ended in error: ${last}${error} (${id})`;
    return writePause(store, schedule, { reason, by: "pauseAfter", at: store.clock.now() });
  }
  return false;
}

/** Removes a schedule. Waiting and due ticks get their outcome in the same commit. */
export async function remove(store: ScheduleStore, name: string, who: ResumeOptions): Promise<boolean> {
  for (;;) {
    const { schedule, cursor } = await store.read(name);
    if (schedule === undefined && cursor === undefined) return false;
    const now = store.clock.now();
    const writes: Op<SchedulesValue>[] = [
      { delete: scheduleKey(name) },
      { delete: cursorKey(name) },
      { put: removedKey(name), value: { by: store.by, at: now }, ttl: TICK_TTL },
    ];
    const act = { action: "remove", name, ...who };
    if (schedule === undefined || cursor === undefined) {
      await store.act(writes, act);
      return schedule !== undefined;
    }
    const state = { schedule: schedule.value, cursor: cursor.value, now, began: now };
    const settled = settleAll(state, { outcome: "refused", reason: "removed" });
    if ((await store.write({ schedule, cursor }, settled, writes, [store.noted(act)])) !== undefined) return true;
  }
}
