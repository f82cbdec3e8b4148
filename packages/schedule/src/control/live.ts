import type { Channel, Clock, JobManager, Key } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { type Hold, holdOf } from "@ojm/core/internal";
import { type Followed, follow } from "../store/follow.js";
import {
  CHANNEL,
  type Cursor,
  cursorKey,
  type MemberPart,
  type MemberValue,
  type SchedulesValue,
  type StoredSchedule,
} from "../store/schema.js";
import { isCursor, isMember, isMemberPart, isSchedule } from "../store/valid.js";
import { type SchedulerView, type ScheduleView, schedulersOf, viewOf } from "./overview.js";

/** The schedules of a store, kept up to date by watches. Each call tells what is known at its time. */
export interface LiveSchedules {
  /** The schedules, ordered by name. */
  schedules(): ScheduleView[];
  /** The schedulers that live. One that died is shown for 15 seconds more. */
  schedulers(): SchedulerView[];
  /** The jobs that people hold, by name, also those without a schedule. */
  holds(): ReadonlyMap<string, Hold>;
}

/** Options of {@link followSchedules}. */
export interface FollowSchedulesOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /**
   * Called at each change that comes after the first reading. `name`: the schedule that came or went, was
   * changed or paused, or whose tick was decided, or the job that somebody holds, or holds no more;
   * `undefined` for a scheduler, which gives signs of life.
   */
  readonly changed?: (name: string | undefined) => void;
  /** Time, replaced in simulations. Default: that of the machine. */
  readonly clock?: Clock;
}

/**
 * Follows the schedules of a store, and the schedulers that can run them, by watches, until `signal` fires.
 * Resolves when all that there is was read. It waits for a store that is away, and for one that goes away.
 *
 * @example
 * const live = await followSchedules(manager, { signal, changed: () => show(live.schedules()) });
 */
export async function followSchedules(
  manager: JobManager,
  { signal, changed = () => {}, clock = systemClock }: FollowSchedulesOptions,
): Promise<LiveSchedules> {
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  let isKnown = false;
  const tell = (name?: string): void => {
    if (isKnown && !signal.aborted) changed(name);
  };
  const named = (key: Key): void => tell(nameOf(key));
  const schedules = new Kept<StoredSchedule>(
    (value, key): value is StoredSchedule => isSchedule(value, nameOf(key)),
    named,
  );
  // The cursor moves with each decision. The ticks themselves are the history of a month.
  const cursors = new Kept<Cursor>(isCursor, named);
  const holds = new Holds(tell);
  const members = new Kept<MemberValue | MemberPart>(isMemberOrPart, () => tell());
  await Promise.all([
    follow(channel, clock, ["schedule"], schedules, signal),
    follow(channel, clock, ["cursor"], cursors, signal),
    follow(channel, clock, ["member"], members, signal),
    follow<unknown>(manager.channels.locks as Channel<unknown>, clock, ["lock"], holds, signal),
  ]);
  isKnown = true;
  return {
    schedules: () => {
      const ordered = [...schedules.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
      return ordered.flatMap((schedule) => {
        const cursor = cursors.get(cursorKey(schedule.name));
        return cursor === undefined ? [] : [viewOf(channel, schedule, cursor, holds.all.get(schedule.name)?.until)];
      });
    },
    schedulers: () => schedulersOf(members.entries()),
    holds: () => holds.all,
  };
}

const nameOf = (key: Key): string => String((key as readonly unknown[])[1]);

const isMemberOrPart = (value: unknown): value is MemberValue | MemberPart => isMember(value) || isMemberPart(value);

/** The entries of one kind, as they are now. Anybody can write to a store: others are left out. */
class Kept<V extends SchedulesValue> implements Followed<SchedulesValue> {
  readonly #entries: Map<string, { readonly key: Key; readonly value: V }> = new Map();
  readonly #isValid: (value: unknown, key: Key) => value is V;
  readonly #changed: (key: Key) => void;

  constructor(isValid: (value: unknown, key: Key) => value is V, changed: (key: Key) => void) {
    this.#isValid = isValid;
    this.#changed = changed;
  }

  entries(): Iterable<{ readonly key: Key; readonly value: V }> {
    return this.#entries.values();
  }

  *values(): Generator<V> {
    for (const { value } of this.#entries.values()) yield value;
  }

  get(key: Key): V | undefined {
    return this.#entries.get(JSON.stringify(key))?.value;
  }

  put(key: Key, value: SchedulesValue): void {
    if (this.#isValid(value, key)) this.#entries.set(JSON.stringify(key), { key, value });
    else this.#entries.delete(JSON.stringify(key));
    this.#changed(key);
  }

  gone(key: Key): void {
    this.#entries.delete(JSON.stringify(key));
    this.#changed(key);
  }

  synced(): void {}
}

/** The locks that people hold. All others come and go with each run, and are of no interest. */
class Holds implements Followed<unknown> {
  readonly all: Map<string, Hold> = new Map();
  readonly #changed: (name: string) => void;

  constructor(changed: (name: string) => void) {
    this.#changed = changed;
  }

  put(key: Key, value: unknown): void {
    const [, name = ""] = key as readonly string[];
    const hold = holdOf((value ?? {}) as { readonly note?: unknown });
    if (hold === undefined) {
      this.gone(key);
      return;
    }
    this.all.set(name, hold);
    this.#changed(name);
  }

  gone(key: Key): void {
    const [, name = ""] = key as readonly string[];
    if (this.all.delete(name)) this.#changed(name);
  }

  synced(): void {}
}
