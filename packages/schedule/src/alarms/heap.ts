/** An item of a heap, and when it is due. */
interface Item<T> {
  readonly value: T;
  due: number;
  place: number;
}

/** A queue of values by when they are due. Each value is in it once. Adding and taking cost O(log n). */
export class Heap<T> {
  readonly #items: Item<T>[] = [];
  readonly #byValue: Map<T, Item<T>> = new Map();

  get size(): number {
    return this.#items.length;
  }

  /** When the first value is due. */
  get first(): number | undefined {
    return this.#items[0]?.due;
  }

  /** Adds a value, or gives it another time. */
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

  /** Takes out the first value, if it is due at `now`. */
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
