import { isChannelError, type Op, type Version } from "@ojm/core";
import { elapsedText, inBackground, processIdentity, restBy, VERSIONS } from "@ojm/core/internal";
import { memberKey, memberPartKey, type SchedulesValue } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { warn } from "../warn.js";

/** The time from one renewal to the next, in ms. */
const BEAT = 5_000;

/** A member lives as long as this many beats take without a renewal. */
const BEATS_OF_LIFE = 3;

/** How long a member lives without a renewal, in ms. */
export const PRESENCE_TTL: number = BEATS_OF_LIFE * BEAT;

/** The lists of schedules are long and rarely change: they are renewed every twenty minutes. */
const PART_TTL = 3_600_000;
const BEATS_OF_PART = 240;

/** The most schedules in one entry of a list. */
const MOST_IN_PART = 500;

/** The most parts that a beat checks, and that a close deletes: etcd accepts 128 ops. */
const MOST_PARTS = 50;

/** The pause after a call that failed, in ms. */
const AGAIN = 1_000;

/** How long the store may fail before a process warning, in ms. */
const AWAY = 10_000;

/**
 * How long a change of the list waits for further ones, in ms, because a program adds its schedules one by
 * one. Each further change waits twice as long, up to a `BEAT`: fifty processes that start at once may take
 * minutes to add their schedules, and each of them reads every list that another one writes.
 */
const FIRST_CHANGE_PAUSE = 100;

/**
 * Publishes that this scheduler lives, and which schedules it can run.
 *
 * The session of its locks cannot show that. A thread renews a session while the main thread is busy: the
 * body of a run keeps its lock, but the scheduler decides no tick, and another one must take its place.
 */
export class Presence {
  readonly #store: ScheduleStore;
  readonly #parts: Map<string, string>[] = [];
  /** The version of each part in the store, as last written. */
  readonly #versions: Version[] = [];
  readonly #changed: Set<number> = new Set();
  #beats = 0;
  /** How long the next change of the list waits, in ms. */
  #moment = FIRST_CHANGE_PAUSE;
  #cancel: (() => void) | undefined;
  /** When the next beat is due, by the monotonic clock. */
  #due = 0;
  #busy: Promise<void> | undefined;
  #closed = false;
  /** Since when this member was seen without interruption, by the monotonic clock, in ms. */
  since: number;
  /** Since when every beat has failed, by the monotonic clock. */
  #failing: number | undefined;
  /** Whether the warning was emitted: once, however long the failure lasts. */
  #warnedOfAway = false;

  constructor(store: ScheduleStore) {
    this.#store = store;
    this.since = store.clock.monotonic();
  }

  /**
   * Publishes this process before it has a schedule. Otherwise, if it were killed at its start, no process
   * would know that it died, and its locks would stay until a sweep. Resolves even if the store fails: it is
   * tried again in the background.
   */
  async begin(): Promise<void> {
    this.#start();
    await this.#busy;
  }

  /** Call it when this process can run a definition of the schedule `name`. */
  add(name: string, hash: string): void {
    const known = this.#parts.findIndex((part) => part.has(name));
    const free = known >= 0 ? known : this.#parts.findIndex(({ size }) => size < MOST_IN_PART);
    const place = free >= 0 ? free : this.#parts.push(new Map()) - 1;
    if (this.#parts[place]?.get(name) === hash) return;
    this.#parts[place]?.set(name, hash);
    this.#change(place);
  }

  remove(name: string): void {
    const place = this.#parts.findIndex((part) => part.delete(name));
    if (place >= 0) this.#change(place);
  }

  #change(place: number): void {
    this.#changed.add(place);
    this.#arm(this.#moment);
  }

  /** A series of changes must not delay a beat: without one, this member seems dead. */
  #arm(ms: number): void {
    if (this.#closed || this.#busy !== undefined) return;
    const due = this.#store.clock.monotonic() + ms;
    if (this.#cancel !== undefined && this.#due <= due) return;
    this.#cancel?.();
    this.#due = due;
    this.#cancel = this.#store.clock.after(ms, () => this.#start());
  }

  #start(): void {
    this.#cancel = undefined;
    this.#busy = inBackground(async () => {
      let rest = AGAIN;
      try {
        this.#moment = this.#changed.size > 0 ? Math.min(BEAT, 2 * this.#moment) : FIRST_CHANGE_PAUSE;
        await this.#beat();
        rest = this.#changed.size > 0 ? this.#moment : restBy(this.#store.clock, BEAT);
      } finally {
        this.#busy = undefined;
        this.#arm(rest);
      }
    });
  }

  async #beat(): Promise<void> {
    const began = this.#store.clock.monotonic();
    const renewed = this.#beats % BEATS_OF_PART === 0 ? this.#parts.keys() : [];
    const places = new Set([...this.#changed, ...renewed]);
    this.#changed.clear();
    try {
      let unwritten = [...places];
      do {
        await this.#write(unwritten);
        unwritten = await this.#renew();
      } while (unwritten.length > 0);
      this.#beats++;
      this.#answered();
    } catch (error) {
      this.#failed(error, began);
      for (const place of places) this.#changed.add(place);
      this.since = this.#store.clock.monotonic();
      throw error;
    }
  }

  async #write(places: readonly number[]): Promise<void> {
    const { channel, by } = this.#store;
    for (const place of places) {
      const schedules = [...(this.#parts[place] ?? [])];
      this.#versions[place] = await channel.set(memberPartKey(by.instance, place), { schedules }, { ttl: PART_TTL });
    }
  }

  /**
   * Renews the sign of life if the store still has the list, because a member without it can run nothing.
   * Resolves to the parts that the store has lost, or has in another version, as after a restore. A watch
   * would not do: a Redis reports no `FLUSHALL`.
   */
  async #renew(): Promise<number[]> {
    const { channel, by, clock } = this.#store;
    const value = { by, parts: this.#parts.length, process: processIdentity(), ojm: VERSIONS.ojm };
    const ops: Op<SchedulesValue>[] = this.#versions
      .slice(0, MOST_PARTS)
      .map((version, place) => ({ check: memberPartKey(by.instance, place), version }));
    ops.push({ put: memberKey(by.instance), value, ttl: BEATS_OF_LIFE * restBy(clock, BEAT) });
    const result = await channel.commit(ops);
    return result.ok ? [] : result.failed.map(({ key }) => Number((key as readonly unknown[])[2]));
  }

  #failed(error: unknown, began: number): void {
    this.#failing ??= began;
    const ms = this.#store.clock.monotonic() - this.#failing;
    const isAway = isChannelError(error) && error.code !== "CLOSED";
    if (this.#warnedOfAway || this.#closed || !isAway || ms < AWAY) return;
    this.#warnedOfAway = true;
    if (error.code === "GONE") warn(`this process runs no tick any more: ${error.message}`);
    else warn(`the store has not answered for ${elapsedText(ms)}: schedules wait for it. ${error.message}`);
  }

  #answered(): void {
    const { clock } = this.#store;
    if (this.#warnedOfAway && this.#failing !== undefined) {
      const ms = clock.monotonic() - this.#failing;
      warn(`the store answers again, after ${elapsedText(ms)}: schedules continue`);
    }
    this.#failing = undefined;
    this.#warnedOfAway = false;
  }

  /** Notifies the others at once that this member is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#busy;
    if (this.#beats === 0) return;
    const { channel, by } = this.#store;
    const parts = this.#parts.map((_, place) => ({ delete: memberPartKey(by.instance, place) }));
    await channel.commit([{ delete: memberKey(by.instance) }, ...parts.slice(0, MOST_PARTS)]);
  }
}
