import type { Clock } from "@ojm/core";
import { WRONG_CLOCK } from "./decide/decide.js";

/** How often to read the wall clock, in ms: it may have been set, or the machine may have slept. */
const CLOCK_CHECK = 30_000;

/** A callback for a point in time. */
export interface Alarm {
  onDue(): void;
}

/** Calls alarms at their times by the wall clock, with one timer. While there are any, the process lives. */
export class Alarms {
  readonly #clock: Clock;
  readonly #heap: Heap<Alarm> = new Heap();
  #cancel: (() => void) | undefined;
  /** When the timer fires, by the monotonic clock. */
  #armed = Number.POSITIVE_INFINITY;
  #keepsAlive = false;
  /** The wall clock at the last check. */
  #seen: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#seen = clock.now();
  }

  /** Sets the time of an alarm, in place of an earlier one. */
  set(alarm: Alarm, due: number): void {
    this.#heap.set(alarm, due);
    this.#arm();
  }

  delete(alarm: Alarm): void {
    this.#heap.delete(alarm);
  }

  /** Keeps the process alive even while there is no alarm. */
  keepAlive(on: boolean): void {
    this.#keepsAlive = on;
    this.#arm();
  }

  close(): void {
    this.#keepsAlive = false;
    this.#cancel?.();
    this.#armed = Number.NEGATIVE_INFINITY;
  }

  #arm(): void {
    if (this.#heap.size === 0 && !this.#keepsAlive) return;
    const { first = Number.POSITIVE_INFINITY } = this.#heap;
    // A timer may fire slightly before the wall clock reaches the time.
    const { rest = 0 } = this.#clock;
    const left = first - this.#clock.now();
    const wait = Math.max(1, Math.min(left > rest ? Math.max(CLOCK_CHECK, rest) : CLOCK_CHECK, left));
    const at = this.#clock.monotonic() + wait;
    // A timer that fires sooner arms the next one then.
    if (at >= this.#armed) return;
    this.#cancel?.();
    this.#armed = at;
    this.#cancel = this.#clock.after(wait, () => this.#look(), true);
  }

  #look(): void {
    if (this.#armed === Number.NEGATIVE_INFINITY) return;
    this.#armed = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    // The clock was set back: alarms that were set by the wrong clock may be years away. Call all now.
    const until = now < this.#seen - WRONG_CLOCK ? Number.POSITIVE_INFINITY : now;
    this.#seen = now;
    const due: Alarm[] = [];
    for (let next = this.#heap.take(until); next !== undefined; next = this.#heap.take(until)) due.push(next);
    for (const alarm of due) alarm.onDue();
    this.#arm();
  }
}

/** An item of a heap, and its due time. */
interface Item<T> {
  readonly value: T;
  due: number;
  place: number;
}

/** A queue of values by due time. Each value is in it once. Adding and taking cost O(log n). */
export class Heap<T> {
  readonly #items: Item<T>[] = [];
  readonly #byValue: Map<T, Item<T>> = new Map();

  get size(): number {
    return this.#items.length;
  }

  /** The due time of the first value. */
  get first(): number | undefined {
    return this.#items[0]?.due;
  }

  /** Adds a value, or changes its time. */
  set(value: T, due: number): void {
    const known = this.#byValue.get(value);
    if (known !== undefined) {
      known.due = due;
      this.#rise(known);
      this.#sink(known);
      return;
    }
    const item = { value, due, place: this.#items.length };
    this.#items.push(item);
    this.#byValue.set(value, item);
    this.#rise(item);
  }

  delete(value: T): void {
    const item = this.#byValue.get(value);
    if (item === undefined) return;
    this.#byValue.delete(value);
    const last = this.#items.pop() as Item<T>;
    if (last === item) return;
    this.#put(last, item.place);
    this.#rise(last);
    this.#sink(last);
  }

  /** Removes and returns the first value, if it is due at `now`. */
  take(now: number): T | undefined {
    const [first] = this.#items;
    if (first === undefined || first.due > now) return undefined;
    this.delete(first.value);
    return first.value;
  }

  #put(item: Item<T>, place: number): void {
    item.place = place;
    this.#items[place] = item;
  }

  #rise(item: Item<T>): void {
    while (item.place > 0) {
      const above = this.#items[(item.place - 1) >> 1] as Item<T>;
      if (above.due <= item.due) return;
      this.#swap(item, above);
    }
  }

  #sink(item: Item<T>): void {
    for (;;) {
      const left = this.#items[2 * item.place + 1];
      const right = this.#items[2 * item.place + 2];
      const below = right !== undefined && left !== undefined && right.due < left.due ? right : left;
      if (below === undefined || below.due >= item.due) return;
      this.#swap(below, item);
    }
  }

  #swap(lower: Item<T>, upper: Item<T>): void {
    const { place } = upper;
    this.#put(upper, lower.place);
    this.#put(lower, place);
  }
}
