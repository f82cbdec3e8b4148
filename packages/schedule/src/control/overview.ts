import type { Channel, Entry, HeldLock, Holder, JobManager, Maintenance } from "@ojm/core";
import {
  all,
  Breaks,
  type Hold,
  holdOf,
  type Items,
  isHolder,
  maintenanceOf,
  present,
  processIsGone,
  readable,
} from "@ojm/core/internal";
import { countTicks, MOST_COUNTED, ScheduleError } from "../calendar/schedule.js";
import { dueTicks, stopped } from "../decide/decide.js";
import { windowAt } from "../definition/blackout.js";
import { calendarOf, dueTime } from "../definition/calendar.js";
import { isReadable, show } from "../definition/check.js";
import type { CheckedDefinition } from "../definition/types.js";
import { PRESENCE_TTL } from "../members/presence.js";
import {
  CHANNEL,
  type Cursor,
  cursorKey,
  type MemberValue,
  type Pause,
  pauseAt,
  type SchedulesValue,
  type StoredSchedule,
  scheduleKey,
  tickKey,
} from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { isCursor, isMember, isMemberPart, isSchedule, schedulesOfPart } from "../store/valid.js";
import { type DecidedTick, ticksIn } from "./ticks.js";

/** Due ticks without an outcome. Times are in ms since 1970. */
export interface OverdueTicks {
  /** The first one, and the last one. */
  readonly at: number;
  readonly until: number;
  /** The number of ticks, 10,000 at most. */
  readonly count: number;
}

/** A schedule in the store. */
export interface ScheduleView {
  readonly name: string;
  /** Identifies its definition: a {@link SchedulerView} with another hash has another definition. */
  readonly hash: string;
  /** When this definition was written, in ms since 1970. */
  readonly since: number;
  /** The latest pause. It may be over: see {@link Pause.until}. */
  readonly paused?: Pause;
  /** Its definition; `undefined` if this version of ojm cannot read it. */
  definition(): CheckedDefinition | undefined;
  /** All ticks up to this one have their outcome. In ms since 1970. */
  readonly decided: number;
  /** The ticks that wait for their run, oldest first. A run begins when the earlier ones have ended. */
  readonly waiting: readonly number[];
  /** The outcomes of the ticks after `after` up to {@link ScheduleView.decided}, oldest first. */
  ticks(after: number): AsyncGenerator<DecidedTick, void, undefined>;
  /** The first tick after `after`; `undefined` if there is none, or the definition cannot be read. */
  next(after: number): number | undefined;
  /** The first tick after `after`, when it is due with its jitter, and whether it will be skipped. */
  upcoming(after: number): NextTick | undefined;
  /** The first such tick that will be run; `undefined` while a pause or blackouts have no end. */
  nextRun(after: number): NextTick | undefined;
  /**
   * The ticks after `after` that were due at `by` and have no outcome; `undefined` if there are none. Ticks
   * at the start that fall into a pause or a blackout do not count, because they are not to be run.
   */
  overdue(by: number, after: number): OverdueTicks | undefined;
}

/** A living scheduler in the store. */
export interface SchedulerView {
  /** Its process. */
  readonly by: Holder;
  /**
   * How long ago it was last seen, in ms. It writes a sign of life every 5 s. A scheduler that died on this
   * machine is left out; one that died elsewhere is listed until 15 s after it was last seen.
   */
  readonly heard: number;
  /** The version of ojm in its process. Older versions did not write it. */
  readonly ojm?: string;
  /** The schedules that it can run, each with the hash of its definition there. */
  readonly schedules: ReadonlyMap<string, string>;
}

/**
 * The living schedulers of a store, for a process that monitors them. A scheduler that died on another
 * machine is listed for 15 seconds more.
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

/** Reads the living schedulers. */
export async function readSchedulers(channel: Channel<SchedulesValue>): Promise<SchedulerView[]> {
  return schedulersOf(await all(readable(channel, { prefix: ["member"] })));
}

type MemberEntry = Pick<Entry<unknown>, "key" | "value" | "expiresIn">;

/** The living schedulers in the entries of members. */
export function schedulersOf(entries: Iterable<MemberEntry>): SchedulerView[] {
  const living = new Map<string, Omit<SchedulerView, "schedules">>();
  const isGone = ({ process }: MemberValue): boolean => process !== undefined && processIsGone(process);
  const known = new Map<string, Map<string, string>>();
  for (const { key, value, expiresIn = PRESENCE_TTL } of entries) {
    const instance = String((key as readonly unknown[])[1]);
    if (isMember(value) && isHolder(value.by)) {
      const { by, ojm } = value;
      const heard = Math.max(0, PRESENCE_TTL - expiresIn);
      if (!isGone(value)) living.set(instance, { by, heard, ...present({ ojm }) });
    } else if (isMemberPart(value))
      known.set(instance, new Map([...(known.get(instance) ?? []), ...schedulesOfPart(value)]));
  }
  // Take only the lists of living schedulers: the list of a dead one stays in the store for up to an hour.
  return [...living].map(([instance, one]) => ({ ...one, schedules: known.get(instance) ?? new Map() }));
}

/**
 * The schedules of a store, for a process that monitors them: it needs no {@link Scheduler}, and works even
 * without a living scheduler. `locks`, `maintenance`: the fresh results of the manager, so that they
 * are not read again.
 *
 * @throws ChannelError if the store fails
 */
export async function* schedulesIn(
  manager: JobManager,
  { locks, maintenance }: { readonly locks?: readonly HeldLock[]; readonly maintenance?: readonly Maintenance[] } = {},
): AsyncGenerator<ScheduleView, void, undefined> {
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  const schedules = await all(schedulesUnder(channel));
  // Read the cursors last: with one from before a change, past ticks of the new calendar look undecided.
  const cursors = await cursorsIn(channel);
  const holds = holdsIn(locks ?? (await manager.heldLocks()));
  const maintained = maintenance ?? (await manager.maintenance());
  for (const schedule of schedules) {
    const { name } = schedule;
    const cursor = cursors.get(name);
    const ahead = { held: holds.get(name)?.until, maintenance: maintenanceOf(maintained, name) };
    if (cursor !== undefined) yield viewOf(channel, schedule, cursor, ahead);
  }
}

/** One schedule of a store, or all of them, ordered by name. Leaves damaged entries out. */
async function* schedulesUnder(channel: Channel<SchedulesValue>, only?: string): Items<StoredSchedule> {
  const prefix = only === undefined ? ["schedule"] : scheduleKey(only);
  for await (const { key, value } of readable(channel, { prefix })) {
    const [, name] = key as readonly unknown[];
    if (isSchedule(value, String(name))) yield value;
  }
}

/** The cursor of one schedule or of each, by name: its ticks are decided up to there. */
async function cursorsIn(channel: Channel<SchedulesValue>, only?: string): Promise<ReadonlyMap<string, Cursor>> {
  const cursors = new Map<string, Cursor>();
  const prefix = only === undefined ? ["cursor"] : cursorKey(only);
  for await (const { key, value } of readable(channel, { prefix })) {
    if (isCursor(value)) cursors.set(String((key as readonly unknown[])[1]), value);
  }
  return cursors;
}

/** The view of a schedule, from its entries. */
export function viewOf(
  channel: Channel<SchedulesValue>,
  schedule: StoredSchedule,
  cursor: Cursor,
  ahead: Omit<Ahead, "cursor"> = {},
): ScheduleView {
  const { name, definition, paused, hash, since } = schedule;
  const decided = Math.min(cursor.at, ...(cursor.waiting ?? []).map((at) => at - 1));
  return {
    name,
    hash,
    since,
    ...(paused !== undefined && { paused }),
    decided,
    waiting: cursor.waiting ?? [],
    definition: () => (isReadable(definition) ? definition : undefined),
    ticks: (after) => ticksIn(channel, name, { after: tickKey(name, after), before: tickKey(name, decided + 1) }),
    next: (after) => ifReadable(schedule, () => finite(calendarOf(definition).next(after))),
    upcoming: (after) => ifReadable(schedule, () => nextTicks(schedule, after, 1, { ...ahead, cursor })[0]),
    nextRun: (after) => ifReadable(schedule, () => nextRun(schedule, after, ahead)),
    // At the end of a maintenance, its ticks are decided.
    overdue: (by, after) =>
      ahead.maintenance === undefined
        ? ifReadable(schedule, () => overdue(schedule, Math.max(cursor.at, after), by))
        : undefined,
  };
}

function ifReadable<Result>({ definition }: StoredSchedule, read: () => Result): Result | undefined {
  return isReadable(definition) ? read() : undefined;
}

const finite = (at: number): number | undefined => (at === Number.POSITIVE_INFINITY ? undefined : at);

/** The ticks after `after` that were due at `by`. A pause or a blackout at their start does not count. */
function overdue({ name, definition, paused }: StoredSchedule, after: number, by: number): OverdueTicks | undefined {
  const due = dueTicks(name, definition, after, by);
  if ("next" in due) return undefined;
  const { last: until } = due;
  const calendar = calendarOf(definition);
  let at = due.first;
  // Checks as many blackouts at most.
  for (let looked = 0; at <= until && looked < MOST_COUNTED; looked++) {
    const isPaused = paused !== undefined && at >= paused.at && at < (paused.until ?? Number.POSITIVE_INFINITY);
    const end = isPaused ? (paused.until ?? Number.POSITIVE_INFINITY) : windowAt(definition.blackout, at)?.to;
    if (end === undefined) return { at, until, count: countTicks(calendar, at, until, MOST_COUNTED - 1) + 1 };
    if (end > until) return undefined;
    at = calendar.next(end - 1);
  }
  return undefined;
}

/** The most future ticks that are checked. */
const MOST_NEXT_TICKS = 10_000;

/** The most skipped ticks to look past: a schedule whose days all have a blackout never runs. */
const MOST_SKIPPED = 100;

/** A future tick. */
export interface NextTick {
  /** In ms since 1970. */
  readonly at: number;
  /** `at`, and the delay by its jitter. */
  readonly due: number;
  /**
   * Why it will not be run at its time, as of now. `held`: a person holds the job until after it is due.
   * `maintenance`: at its end, the `missed` rule decides whether it is run late.
   */
  readonly skipped?: "paused" | "blackout" | "maintenance" | "held";
  /** On the first of them: the number of earlier ticks that wait for their run, which begin before it. */
  readonly waiting?: number;
}

/** Other known facts about the schedule. */
interface Ahead {
  /** Until when a person holds the job, in ms since 1970. */
  readonly held?: number | undefined;
  readonly maintenance?: Maintenance | undefined;
  /** Its cursor: up to there its ticks are decided. */
  readonly cursor?: Cursor | undefined;
}

/** The next `limit` ticks of a schedule after `now`. A calendar may end before. */
export function nextTicks(of: StoredSchedule, now: number, limit: number, ahead: Ahead): NextTick[] {
  const { held = 0, maintenance, cursor } = ahead;
  const { name, definition } = of;
  if (!Number.isInteger(limit) || limit < 0 || limit > MOST_NEXT_TICKS) {
    const text = `"limit" is a whole number from 0 to ${MOST_NEXT_TICKS}, not ${show(limit)}`;
    throw new ScheduleError("INVALID", text, "limit");
  }
  const schedule = calendarOf(definition);
  const ticks: NextTick[] = [];
  const { length: waiting } = cursor?.waiting ?? [];
  let at = now;
  while (ticks.length < limit) {
    at = schedule.next(at);
    if (at === Number.POSITIVE_INFINITY) break;
    const due = dueTime(name, definition, at);
    const isHeld = due < held && (definition.overlap ?? "skip") === "skip";
    const stop = stopped({ schedule: of }, at)?.reason as "paused" | "blackout" | undefined;
    const isPut = maintenance !== undefined && due < (maintenance.until ?? Number.POSITIVE_INFINITY);
    const skipped = stop ?? (isPut ? "maintenance" : isHeld ? "held" : undefined);
    ticks.push({ at, due, ...present({ skipped }), ...(ticks.length === 0 && waiting > 0 && { waiting }) });
  }
  return ticks;
}

/** The next tick that will be run, as of now; `undefined` while a pause or blackouts have no end. */
export function nextRun(of: StoredSchedule, now: number, ahead: Ahead): NextTick | undefined {
  const { held = 0, maintenance } = ahead;
  const { definition, paused } = of;
  let after = now;
  for (let looked = 0; looked < MOST_SKIPPED; looked++) {
    const [tick] = nextTicks(of, after, 1, { held, maintenance });
    if (tick?.skipped === undefined) return tick;
    const end = {
      paused: paused?.until ?? Number.POSITIVE_INFINITY,
      blackout: windowAt(definition.blackout, tick.at)?.to ?? 0,
      // A tick before this time is due before that end, even with the longest jitter.
      maintenance: (maintenance?.until ?? Number.POSITIVE_INFINITY) - (definition.jitter ?? 0),
      held: held - (definition.jitter ?? 0),
    }[tick.skipped];
    if (end === Number.POSITIVE_INFINITY) return undefined;
    after = Math.max(tick.at, end - 1);
  }
  return undefined;
}

/** The jobs that people hold, by name. */
export function holdsIn(locks: readonly HeldLock[]): ReadonlyMap<string, Hold> {
  const holds = locks.map((lock) => [lock.name, holdOf(lock)] as const);
  return new Map(holds.filter((one): one is [string, Hold] => one[1] !== undefined));
}

/** A schedule in the store. */
export interface ScheduleSummary {
  readonly name: string;
  readonly definition: CheckedDefinition;
  /** Identifies its definition, see {@link ScheduleView.hash}. */
  readonly hash: string;
  /** The number of times that a newer definition replaced it. */
  readonly revision: number;
  /** The current pause. */
  readonly paused?: Pause;
  /** Its next ticks. */
  readonly next: readonly NextTick[];
  /** The next tick that will be run, as of now. Absent while a pause or blackouts have no end. */
  readonly nextRun?: NextTick;
}

/**
 * The schedules of a store, or the one called `only`, ordered by name, each with its next ticks. Skips
 * entries that no scheduler wrote.
 */
export async function* schedulesOf(
  { channel, clock }: ScheduleStore,
  limit: number,
  { holds, maintenance }: { readonly holds: ReadonlyMap<string, Hold>; readonly maintenance: readonly Maintenance[] },
  only?: string,
): Items<ScheduleSummary> {
  const cursors = await cursorsIn(channel, only);
  // Parsing a cron expression takes more than a millisecond, so give the event loop a turn now and then.
  const breaks = new Breaks();
  for await (const value of schedulesUnder(channel, only)) {
    await breaks.take();
    // Without its definition, only its name is known.
    if (!isReadable(value.definition)) continue;
    const { name, definition, hash, revision } = value;
    const now = clock.now();
    const held = holds.get(name)?.until;
    const ahead = { held, maintenance: maintenanceOf(maintenance, name), cursor: cursors.get(name) };
    const next = nextTicks(value, now, limit, ahead);
    const more = present({ nextRun: nextRun(value, now, ahead), paused: pauseAt(value, now) });
    yield { name, definition, hash, revision, next, ...more };
  }
}
