import type { Channel, Entry, HeldLock, Holder, JobManager } from "@ojm/core";
import { type Hold, holdOf, processIsGone, readable } from "@ojm/core/internal";
import { countTicks, ScheduleError } from "../calendar/schedule.js";
import { dueTicks } from "../decide/decide.js";
import { windowAt } from "../definition/blackout.js";
import { calendarOf, dueTime } from "../definition/calendar.js";
import { show } from "../definition/check.js";
import { PRESENCE_TTL } from "../members/presence.js";
import {
  CHANNEL,
  type Cursor,
  type MemberValue,
  type Pause,
  type SchedulesValue,
  type StoredSchedule,
  tickKey,
} from "../store/schema.js";
import { isCursor, isHolder, isMember, isMemberPart, isSchedule } from "../store/valid.js";
import { type DecidedTick, ticksIn } from "./ticks.js";

/** Ticks are counted up to this number, and so many blackouts are gone through. */
const MOST_COUNTED = 10_000;

/** Ticks that are due and that nobody has decided. Times are in ms since 1970. */
export interface OverdueTicks {
  /** The first one, and the last one. */
  readonly at: number;
  readonly until: number;
  /** How many they are, 10,000 at most. */
  readonly count: number;
}

/** A schedule as it is in the store. */
export interface ScheduleView {
  readonly name: string;
  /** Identifies its definition: a {@link SchedulerView} with another hash has another definition. */
  readonly hash: string;
  /** The pause that was set last. It may be over: see {@link Pause.until}. */
  readonly paused?: Pause;
  /** All ticks up to this one have their outcome. In ms since 1970. */
  readonly decided: number;
  /** The ticks that wait for their run, oldest first: it begins when those before it have ended. */
  readonly waiting: readonly number[];
  /** The outcomes of the ticks after `after` up to {@link ScheduleView.decided}, oldest first. */
  ticks(after: number): AsyncGenerator<DecidedTick, void, undefined>;
  /** The first tick after `after`; `undefined` if the definition cannot be read. */
  next(after: number): number | undefined;
  /** The first tick after `after`, when it is due by its jitter, and whether it will be skipped. */
  upcoming(after: number): NextTick | undefined;
  /**
   * The ticks after `after` that were due at `by`, and that nobody has decided; `undefined` if there are
   * none. A pause or a blackout keeps a tick from being run, so such ticks at the begin do not count.
   */
  overdue(by: number, after: number): OverdueTicks | undefined;
}

/** A living scheduler as it is in the store. */
export interface SchedulerView {
  /** Its process. */
  readonly by: Holder;
  /**
   * How long ago it was last heard, in ms. It is heard every 5 s. One that died on this machine is not shown;
   * one that died elsewhere is, until 15 s after it was last heard.
   */
  readonly heard: number;
  /** The schedules that it can run, with the hash of the definition that it has of each. */
  readonly schedules: ReadonlyMap<string, string>;
}

/**
 * The schedulers of a store that live, for a process that watches them. One that died on another machine is
 * shown for 15 seconds more.
 *
 * @throws ChannelError if the store fails
 * @example
 * for await (const { by, schedules } of schedulersIn(manager)) {
 *   console.log(by.host, by.pid, [...schedules.keys()]);
 * }
 */
export async function* schedulersIn(manager: JobManager): AsyncGenerator<SchedulerView, void, undefined> {
  yield* await readSchedulers(await manager.channel<SchedulesValue>(CHANNEL));
}

/** Reads the schedulers that live. */
export async function readSchedulers(channel: Channel<SchedulesValue>): Promise<SchedulerView[]> {
  const entries: MemberEntry[] = [];
  for await (const entry of readable(channel, { prefix: ["member"] })) entries.push(entry);
  return schedulersOf(entries);
}

type MemberEntry = Pick<Entry<unknown>, "key" | "value" | "expiresIn">;

/** The living schedulers in the entries of members. */
export function schedulersOf(entries: Iterable<MemberEntry>): SchedulerView[] {
  const living = new Map<string, Pick<SchedulerView, "by" | "heard">>();
  const isGone = ({ process }: MemberValue): boolean => process !== undefined && processIsGone(process);
  const known = new Map<string, Map<string, string>>();
  for (const { key, value, expiresIn = PRESENCE_TTL } of entries) {
    const instance = String((key as readonly unknown[])[1]);
    if (isMember(value) && isHolder(value.by)) {
      if (!isGone(value)) living.set(instance, { by: value.by, heard: Math.max(0, PRESENCE_TTL - expiresIn) });
    } else if (isMemberPart(value)) known.set(instance, new Map([...(known.get(instance) ?? []), ...value.schedules]));
  }
  // The list of a scheduler that died stays for an hour.
  return [...living].map(([instance, one]) => ({ ...one, schedules: known.get(instance) ?? new Map() }));
}

/**
 * The schedules of a store, for a process that watches them: it needs no {@link Scheduler}, and works
 * while no scheduler lives. `locks`: what `manager.locks` has just returned, so that they are not read again.
 *
 * @throws ChannelError if the store fails
 */
export async function* schedulesIn(
  manager: JobManager,
  { locks }: { readonly locks?: readonly HeldLock[] } = {},
): AsyncGenerator<ScheduleView, void, undefined> {
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  const schedules: StoredSchedule[] = [];
  for await (const schedule of schedulesUnder(channel)) schedules.push(schedule);
  // The cursors after the definitions: one from before a change would make old ticks of the new calendar.
  const cursors = await cursorsIn(channel);
  const holds = holdsIn(locks ?? (await manager.locks()));
  for (const schedule of schedules) {
    const cursor = cursors.get(schedule.name);
    if (cursor !== undefined) yield viewOf(channel, schedule, cursor, holds.get(schedule.name)?.until);
  }
}

/** The schedules of a store, ordered by name. Leaves damaged entries out. */
export async function* schedulesUnder(
  channel: Channel<SchedulesValue>,
): AsyncGenerator<StoredSchedule, void, undefined> {
  for await (const { key, value } of readable(channel, { prefix: ["schedule"] })) {
    const [, name] = key as readonly unknown[];
    if (isSchedule(value, String(name))) yield value;
  }
}

/** How far the ticks of each schedule are decided, by name. */
export async function cursorsIn(channel: Channel<SchedulesValue>): Promise<ReadonlyMap<string, Cursor>> {
  const cursors = new Map<string, Cursor>();
  for await (const { key, value } of readable(channel, { prefix: ["cursor"] })) {
    if (isCursor(value)) cursors.set(String((key as readonly unknown[])[1]), value);
  }
  return cursors;
}

/** What the entries of a schedule tell. `held`: until when a person holds the job, if that is known. */
export function viewOf(
  channel: Channel<SchedulesValue>,
  schedule: StoredSchedule,
  cursor: Cursor,
  held?: number,
): ScheduleView {
  const { name, definition, paused, hash } = schedule;
  const decided = Math.min(cursor.at, ...(cursor.waiting ?? []).map((at) => at - 1));
  return {
    name,
    hash,
    ...(paused !== undefined && { paused }),
    decided,
    waiting: cursor.waiting ?? [],
    ticks: (after) => ticksIn(channel, name, { after: tickKey(name, after), before: tickKey(name, decided + 1) }),
    next: (after) => ifReadable(() => calendarOf(definition).next(after)),
    upcoming: (after) => ifReadable(() => nextTicks(schedule, after, 1, { held, cursor })[0]),
    overdue: (by, after) => ifReadable(() => overdue(schedule, Math.max(cursor.at, after), by)),
  };
}

/** A later version of ojm may write definitions that this one cannot read. */
function ifReadable<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The ticks after `after` that were due at `by`. A pause or a blackout at their begin does not count. */
function overdue({ name, definition, paused }: StoredSchedule, after: number, by: number): OverdueTicks | undefined {
  const due = dueTicks(name, definition, after, by);
  if ("next" in due) return undefined;
  const { last: until } = due;
  const calendar = calendarOf(definition);
  let at = due.first;
  for (let looked = 0; at <= until && looked < MOST_COUNTED; looked++) {
    const isPaused = paused !== undefined && at >= paused.at && at < (paused.until ?? Number.POSITIVE_INFINITY);
    const end = isPaused ? (paused.until ?? Number.POSITIVE_INFINITY) : windowAt(definition.blackout, at)?.to;
    if (end === undefined) return { at, until, count: countTicks(calendar, at, until, MOST_COUNTED - 1) + 1 };
    if (end > until) return undefined;
    at = calendar.next(end - 1);
  }
  return undefined;
}

/** The most ticks that are looked ahead. */
const MOST_NEXT_TICKS = 10_000;

/** How many blackouts are looked behind: with one on each of its days, a schedule never runs. */
const MOST_SKIPPED = 100;

/** A tick that is to come. */
export interface NextTick {
  /** In ms since 1970. */
  readonly at: number;
  /** `at`, and the delay by its jitter. */
  readonly due: number;
  /** Why it will not be run, as it is now. `held`: a person holds the job until after it is due. */
  readonly skipped?: "paused" | "blackout" | "held";
  /** On the first of them: how many earlier ticks wait for their run, which begin before it. */
  readonly waiting?: number;
}

/** What is known beside the schedule. */
interface Ahead {
  /** Until when a person holds the job, in ms since 1970. */
  readonly held?: number | undefined;
  /** How far its ticks are decided. */
  readonly cursor?: Cursor | undefined;
}

/** The next `limit` ticks of a schedule after `now`. */
export function nextTicks(of: StoredSchedule, now: number, limit: number, { held = 0, cursor }: Ahead): NextTick[] {
  const { name, definition } = of;
  if (!Number.isInteger(limit) || limit < 0 || limit > MOST_NEXT_TICKS) {
    throw new ScheduleError(
      "INVALID",
      `"limit" is a whole number from 0 to ${MOST_NEXT_TICKS}, not ${show(limit)}`,
      "limit",
    );
  }
  const schedule = calendarOf(definition);
  const ticks: NextTick[] = [];
  const waiting = cursor?.waiting?.length ?? 0;
  let at = now;
  while (ticks.length < limit) {
    at = schedule.next(at);
    const due = dueTime(name, definition, at);
    const skipped = skippedAt(of, at) ?? (due < held && (definition.overlap ?? "skip") === "skip" ? "held" : undefined);
    ticks.push({
      at,
      due,
      ...(skipped !== undefined && { skipped }),
      ...(ticks.length === 0 && waiting > 0 && { waiting }),
    });
  }
  return ticks;
}

/** The next tick that will be run, as it is now; `undefined` while a pause or blackouts have no end. */
export function nextRun(of: StoredSchedule, now: number, { held = 0 }: Ahead): NextTick | undefined {
  const { definition, paused } = of;
  let after = now;
  for (let looked = 0; looked < MOST_SKIPPED; looked++) {
    const [tick] = nextTicks(of, after, 1, { held });
    if (tick?.skipped === undefined) return tick;
    const end = {
      paused: paused?.until ?? Number.POSITIVE_INFINITY,
      blackout: windowAt(definition.blackout, tick.at)?.to ?? 0,
      // A tick before that is due while the job is held, however late its jitter makes it.
      held: held - (definition.jitter ?? 0),
    }[tick.skipped];
    if (end === Number.POSITIVE_INFINITY) return undefined;
    after = Math.max(tick.at, end - 1);
  }
  return undefined;
}

function skippedAt({ definition, paused }: StoredSchedule, at: number): "paused" | "blackout" | undefined {
  if (paused !== undefined && (paused.until === undefined || at < paused.until)) return "paused";
  return windowAt(definition.blackout, at) === undefined ? undefined : "blackout";
}

/** The jobs that people hold, by name. */
export function holdsIn(locks: readonly HeldLock[]): ReadonlyMap<string, Hold> {
  const holds = new Map<string, Hold>();
  for (const lock of locks) {
    const hold = holdOf(lock);
    if (hold !== undefined) holds.set(lock.name, hold);
  }
  return holds;
}
