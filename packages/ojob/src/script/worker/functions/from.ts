import { valueAt } from "../../../text/template.js";

type Selector = string | ((item: unknown, index: number) => unknown);

function read(selector: Selector): (item: unknown, index: number) => unknown {
  return typeof selector === "function" ? selector : (item) => valueAt(item, selector);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  // Absent values come last in either order.
  if (a === undefined || a === null) return b === undefined || b === null ? 0 : 1;
  if (b === undefined || b === null) return -1;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The calls that keep the items of which a field fits a value: `equals("status", "failed")`. */
const CONDITIONS: Readonly<Record<string, (own: unknown, value: unknown) => boolean>> = {
  equals: (own, value) => own === value,
  notEquals: (own, value) => own !== value,
  greater: (own, value) => isThere(own) && compare(own, value) > 0,
  greaterEquals: (own, value) => isThere(own) && compare(own, value) >= 0,
  less: (own, value) => isThere(own) && compare(own, value) < 0,
  lessEquals: (own, value) => isThere(own) && compare(own, value) <= 0,
  contains: (own, part) => (Array.isArray(own) ? own.includes(part) : String(own ?? "").includes(String(part))),
  starts: (own, part) => String(own ?? "").startsWith(part as string),
  ends: (own, part) => String(own ?? "").endsWith(part as string),
};

/**
 * A query on a list: `$from(jobs).equals("status", "failed").sort("-startTime").limit(3).select()`. Fields
 * are named by path (`holder.host`). No call changes the list itself.
 */
export class Query {
  readonly #items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.#items = items;
  }

  #keep(test: (item: unknown, index: number) => boolean): Query {
    return new Query(this.#items.filter(test));
  }

  #by(field: string, test: (value: unknown) => boolean): Query {
    return this.#keep((item) => test(valueAt(item, field)));
  }

  static {
    for (const [name, holds] of Object.entries(CONDITIONS)) {
      const value = function (this: Query, field: string, wanted: unknown): Query {
        return this.#by(field, (own) => holds(own, wanted));
      };
      Object.defineProperty(Query.prototype, name, { value, writable: true, configurable: true });
    }
  }

  /** Keeps the items whose field is truthy, or for which the function returns true. */
  filter(selector: Selector): Query {
    const value = read(selector);
    return this.#keep((item, index) => Boolean(value(item, index)));
  }

  where(selector: Selector): Query {
    return this.filter(selector);
  }

  match(field: string, pattern: string | RegExp): Query {
    const test = new RegExp(pattern);
    return this.#by(field, (own) => test.test(String(own ?? "")));
  }

  /** Sorts by these fields. A `-` before a field sorts in descending order. */
  sort(...fields: string[]): Query {
    const sorted = [...this.#items].sort((a, b) => {
      for (const field of fields) {
        const down = field.startsWith("-");
        const path = down ? field.slice(1) : field;
        const order = compare(valueAt(a, path), valueAt(b, path));
        if (order !== 0) return down ? -order : order;
      }
      return 0;
    });
    return new Query(sorted);
  }

  reverse(): Query {
    return new Query([...this.#items].reverse());
  }

  limit(count: number): Query {
    return new Query(this.#items.slice(0, count));
  }

  skip(count: number): Query {
    return new Query(this.#items.slice(count));
  }

  /** Keeps one item for each value of the field, or of the whole item. */
  distinct(field?: string): Query {
    const seen = new Set<string>();
    return this.#keep((item) => {
      const mark = JSON.stringify(field === undefined ? item : valueAt(item, field)) ?? "";
      return !seen.has(mark) && Boolean(seen.add(mark));
    });
  }

  /** Makes groups `{ key, items }` by a field, in the order in which their keys first appear. */
  groupBy(selector: Selector): Query {
    const value = read(selector);
    const groups = new Map<string, { readonly key: unknown; readonly items: unknown[] }>();
    this.#items.forEach((item, index) => {
      const key = value(item, index);
      const mark = JSON.stringify(key) ?? "";
      const group = groups.get(mark) ?? { key, items: [] };
      group.items.push(item);
      groups.set(mark, group);
    });
    return new Query([...groups.values()]);
  }

  /** Returns the items as a list, or of each item the field or the result of the function. */
  select(selector?: Selector): unknown[] {
    return selector === undefined ? [...this.#items] : this.#items.map(read(selector));
  }

  first(): unknown {
    return this.#items[0];
  }

  last(): unknown {
    return this.#items.at(-1);
  }

  at(index: number): unknown {
    return this.#items.at(index);
  }

  count(): number {
    return this.#items.length;
  }

  any(): boolean {
    return this.#items.length > 0;
  }

  none(): boolean {
    return this.#items.length === 0;
  }

  each(body: (item: unknown, index: number) => void): Query {
    for (const [index, item] of this.#items.entries()) body(item, index);
    return this;
  }

  #numbers(field: string, minus?: string): number[] {
    const difference = (item: unknown): number =>
      Number(valueAt(item, field)) - (minus === undefined ? 0 : Number(valueAt(item, minus)));
    return this.#items.map(difference).filter((value) => !Number.isNaN(value));
  }

  sum(field: string, minus?: string): number {
    return this.#numbers(field, minus).reduce((sum, value) => sum + value, 0);
  }

  /** The mean of a field, or of the first field minus the second. `undefined` without items. */
  average(field: string, minus?: string): number | undefined {
    const numbers = this.#numbers(field, minus);
    return numbers.length === 0 ? undefined : this.sum(field, minus) / numbers.length;
  }

  min(field: string): unknown {
    return this.sort(field).first();
  }

  max(field: string): unknown {
    return this.#by(field, isThere).sort(`-${field}`).first();
  }
}

/** Begins a {@link Query}. A map counts as the list of its values. */
export function $from(items: unknown): Query {
  if (Array.isArray(items)) return new Query(items);
  return new Query(typeof items === "object" && items !== null ? Object.values(items) : []);
}
