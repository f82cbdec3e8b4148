import { compareVersions, type Maintenance } from "@ojm/core";
import type { StoredChange } from "@ojm/core/backend";
import { maintenanceOf } from "@ojm/core/internal";
import { decodeKey } from "../../../../core/src/channel/encoding/key.js";
import { calendarKey, calendarOf } from "../../definition/calendar.js";
import type { Calendar } from "../../definition/types.js";
import type { Cursor, StoredSchedule, TickValue } from "../../store/schema.js";

const CHANNEL = "oJobManager-schedules ";
const MAINTENANCE = 'oJobManager-locks ["maintenance';

/** The outcome of one tick, and the commit that decided it. */
interface Outcome {
  readonly value: TickValue;
  readonly version: string;
  /** Whether it, or an earlier one, was written by a wrong clock, and is not a run. */
  readonly wasEarly: boolean;
}

/** The state of one schedule in the store. */
interface Seen {
  schedule: StoredSchedule | undefined;
  cursor: Cursor | undefined;
  /** Each tick with an outcome, including the ticks of ranges. */
  readonly outcomes: Map<number, Outcome>;
  /** The last tick of each entry, by its first one. */
  readonly entries: Map<number, number>;
}

/** A clock that is further ahead than this, in ms, is wrong. The others differ by less. */
const EARLY = 3_000_000;

/**
 * Sees every commit that the store applies, and judges only by the content of the store:
 *
 * - A tick is decided once, and no other outcome follows the first. Exceptions are a backfill, and a wrong
 *   clock that decided the tick before its time; both only if the tick was not run.
 * - No two entries overlap.
 * - The cursor moves, or a tick stops waiting, only together with the outcomes of those ticks.
 * - The cursor moves back only if it is marked as that of a wrong clock.
 * - While a schedule is paused, no tick of it is run.
 * - During a maintenance without an end, no tick of its names is run, not even by a backfill.
 */
export class Witness {
  readonly #names: Map<string, Seen> = new Map();
  readonly #now: () => number;
  #version = "0";
  #maintenance: readonly Maintenance[] = [];
  #commit: { readonly kind: string; readonly name: string; readonly at: number; readonly value: unknown }[] = [];

  /** `now`: the right time. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Call it with each change that the store applied. */
  applied({ key, value, version }: StoredChange): void {
    if (key.startsWith(MAINTENANCE)) {
      this.flush();
      const { all = [] } = value === null ? {} : (JSON.parse(value) as { readonly all?: readonly Maintenance[] });
      this.#maintenance = all.filter(({ until }) => until === undefined);
    }
    if (!key.startsWith(CHANNEL)) return;
    if (compareVersions(version, this.#version) !== 0) this.flush();
    this.#version = version;
    const [kind, name, at] = decodeKey(key.slice(CHANNEL.length)) as readonly unknown[];
    // An outcome that expires was not undone.
    if (kind === "tick" && value === null) return;
    this.#commit.push({ kind: `${kind}`, name: `${name}`, at: Number(at), value: value && JSON.parse(value) });
  }

  /** Judges the last commit: all its changes have come. */
  flush(): void {
    const commit = this.#commit;
    this.#commit = [];
    for (const name of new Set(commit.map((change) => change.name))) {
      const changes = commit.filter((change) => change.name === name);
      if (changes.some(({ kind }) => kind !== "member" && kind !== "request")) this.#judge(name, changes);
    }
  }

  /** The schedules that exist or existed. */
  get names(): string[] {
    return [...this.#names.keys()];
  }

  seen(name: string): Readonly<Seen> {
    const maps = { outcomes: new Map(), entries: new Map() };
    const seen = this.#names.get(name) ?? { schedule: undefined, cursor: undefined, ...maps };
    this.#names.set(name, seen);
    return seen;
  }

  #judge(name: string, changes: readonly { kind: string; at: number; value: unknown }[]): void {
    const seen = this.seen(name) as Seen;
    const { schedule, cursor } = seen;
    const ticks = changes.filter(({ kind }) => kind === "tick");
    for (const { at, value } of ticks) this.#decided(name, seen, at, value as TickValue);
    for (const { at, value } of ticks) seen.entries.set(at, (value as TickValue).until ?? at);
    for (const { at } of ticks) this.#checkAlone(name, seen, at);
    for (const { kind, value } of changes) {
      if (kind === "schedule") seen.schedule = (value ?? undefined) as StoredSchedule | undefined;
      if (kind === "cursor") seen.cursor = (value ?? undefined) as Cursor | undefined;
    }
    if (schedule !== undefined && cursor !== undefined) this.#moved(name, seen, schedule, cursor);
  }

  #checkAlone(name: string, { entries }: Seen, at: number): void {
    const last = entries.get(at) ?? at;
    for (const [first, end] of entries)
      if (first !== at && first <= last && end >= at)
        throw new Error(`the tick ${iso(Math.max(first, at))} of ${name} has two outcomes`);
  }

  #decided(name: string, { schedule, cursor, outcomes }: Seen, at: number, value: TickValue): void {
    const isBackfill = value.evidence?.["backfill"] !== undefined;
    const { paused } = schedule ?? {};
    if (paused !== undefined && paused.until === undefined && value.outcome === "run" && !isBackfill)
      throw new Error(`${name} is run for its tick of ${iso(at)} while it is paused`);
    if (value.outcome === "run" && maintenanceOf(this.#maintenance, name) !== undefined)
      throw new Error(`${name} is run for its tick of ${iso(at)} during a maintenance`);
    for (const tick of ticksIn(value.calendar ?? {}, at, value.until ?? at)) {
      const before = outcomes.get(tick);
      // A backfill cuts a range into parts with the same content.
      const isPart = before?.value.decided === value.decided && before.value.reason === value.reason;
      const isUndone = value.reason === "not-recorded" && before?.value.run === value.run;
      // A run stays. An outcome that a wrong clock wrote before its time can be replaced by a run.
      const isOpen = before?.value.outcome !== "run" && value.outcome === "run";
      const mayReplace = isOpen && (isBackfill || (before?.wasEarly === true && tick <= (cursor?.ahead ?? 0)));
      if (before !== undefined && !mayReplace && !isPart && !isUndone)
        throw new Error(
          `the tick ${iso(tick)} of ${name} is decided twice: ${textOf(before.value)}, then ${textOf(value)}`,
        );
      const isEarly = value.outcome !== "run" && value.decided > this.#now() + EARLY;
      outcomes.set(tick, { value, version: this.#version, wasEarly: isEarly || before?.wasEarly === true });
    }
  }

  /** All ticks that the cursor passed, and those that no longer wait, have their outcome. */
  #moved(name: string, seen: Seen, schedule: StoredSchedule, before: Cursor): void {
    const { cursor = { at: before.at, waiting: [] } } = seen;
    const isSetBack = cursor.at < before.at;
    if (isSetBack && (cursor.ahead ?? 0) < before.at)
      throw new Error(`the cursor of ${name} moves back to ${iso(cursor.at)}`);
    const waiting = new Set(cursor.waiting ?? []);
    const passed = cursor.at === before.at ? [] : ticksOf(schedule, before.at + 1, cursor.at);
    for (const tick of [...passed, ...(before.waiting ?? [])]) {
      if (waiting.has(tick) || seen.outcomes.has(tick)) continue;
      if ([...seen.entries].some(([first, last]) => first <= tick && tick <= last)) continue;
      // A tick that is not due by the right clock comes again. One from before the schedule is not its own.
      if (isSetBack && tick > cursor.at) continue;
      if (before.ahead !== undefined && tick <= schedule.since) continue;
      throw new Error(`the tick ${iso(tick)} of ${name} is passed without an outcome`);
    }
    // No tick of the new definition is due before its time.
    if (seen.schedule !== undefined && calendarKey(seen.schedule.definition) === calendarKey(schedule.definition)) {
      for (const tick of waiting) {
        const mayHaveOne = tick <= (cursor.ahead ?? 0) || (before.waiting ?? []).includes(tick);
        if (seen.outcomes.has(tick) && !mayHaveOne)
          throw new Error(`the tick ${iso(tick)} of ${name} waits although it is decided`);
      }
    }
  }
}

/** The ticks of a schedule from one instant to another, both included. */
export function ticksOf(schedule: StoredSchedule | undefined, from: number, to: number): number[] {
  return schedule === undefined ? [] : ticksIn(schedule.definition, from, to);
}

function ticksIn(of: Calendar, from: number, to: number): number[] {
  if (from === to) return [from];
  const calendar = calendarOf(of);
  const ticks: number[] = [];
  for (let at = calendar.next(from - 1); at <= to; at = calendar.next(at)) ticks.push(at);
  return ticks;
}

export const iso = (at: number): string => new Date(at).toISOString().slice(11);
const textOf = ({ outcome, reason, run }: TickValue): string => `${outcome} ${run ?? reason}`;
