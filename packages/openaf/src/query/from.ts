import { arrayContains, isArray, isSame, uniqArray } from "../data/compare.js";
import { fromArray2Obj, getPath, merge, setPath, unsetPath } from "../data/maps.js";
import { type Fields, isMap } from "../data/types.js";
import { type Conditions, Where } from "./where.js";

type Selector = ((item: unknown, index: number, list: unknown[]) => unknown) | Fields | readonly string[];

interface QueryMap {
  readonly where?: readonly { readonly cond?: unknown; readonly args?: readonly unknown[] }[];
  readonly transform?: readonly { readonly func?: unknown; readonly args?: readonly unknown[] }[];
  readonly select?: unknown;
  readonly selector?: { readonly func?: unknown; readonly args?: readonly unknown[] };
}

/** A query on a list, as OpenAF has it: its calls change the query, and `attach` and the like the items. */
class From extends Where {
  /** The items for which the conditions so far hold. Further calls begin with them. */
  #apply(): unknown[] {
    this.items = this.matching();
    this.forget();
    return this.items;
  }

  #continue(change: (items: unknown[]) => unknown[]): this {
    this.items = change(this.#apply());
    return this;
  }

  /** The items; of each the result of a function, some fields (`["a", "b:c.d"]`), or fields with defaults. */
  select(selector?: Selector): unknown[] {
    const items = this.#apply();
    if (selector === undefined) return items;
    if (typeof selector === "function") return items.map(selector);
    if (isArray(selector)) return items.map((item) => pick(item, selector as string[]));
    return items.map((item) => {
      const picked: Fields = {};
      for (const [key, otherwise] of Object.entries(selector)) {
        const value = getPath(item, key);
        setPath(picked, key, value === undefined ? otherwise : value);
      }
      return picked;
    });
  }

  /** As {@link select}: a script has one thread. */
  pselect(selector?: Selector): unknown[] {
    return this.select(selector);
  }

  /** The items as a map, by one of their fields (`_key`). */
  mselect(selector?: Selector, key: string = "_key", keep: unknown = true): Fields {
    return fromArray2Obj(this.select(selector), key, keep);
  }

  /** Continues with the results of the selector. */
  define(selector?: Selector): this {
    this.items = this.select(selector);
    return this;
  }

  at(index: number): unknown {
    return this.#apply()[Number(index)];
  }

  first(otherwise?: unknown): unknown {
    return this.#apply()[0] ?? otherwise;
  }

  last(otherwise?: unknown): unknown {
    return this.#apply().at(-1) ?? otherwise;
  }

  count(): number {
    return this.#apply().length;
  }

  any(): boolean {
    return this.#apply().length > 0;
  }

  none(): boolean {
    return this.#apply().length === 0;
  }

  all(): boolean {
    return this.#apply().length === this.total;
  }

  reverse(): unknown[] {
    return this.#apply().reverse();
  }

  /** The values of a field, each once. */
  distinct(field?: string): unknown[] {
    return [...new Set(this.#apply().map((item) => (field === undefined ? item : getPath(item, field))))];
  }

  min(field?: string): unknown {
    return extreme(this.#apply(), field, -1);
  }

  max(field?: string): unknown {
    return extreme(this.#apply(), field, 1);
  }

  sum(field?: string, minus?: string): number {
    return sumOf(this.#apply(), field, minus);
  }

  average(field?: string, minus?: string): number | undefined {
    return averageOf(this.#apply(), field, minus);
  }

  /** The items by the value of a field, as a map of lists. */
  group(field?: string): Record<string, unknown[]> {
    return group(this.#apply(), field);
  }

  /** The items by the values of fields. The groups of one field have the `select` of the guide. */
  groupBy(fields: string = "key"): Groups {
    return selectable(groupBy(this.#apply(), fields));
  }

  /** How many items there are of each value: `[{ field: value, _count: n }]`. */
  countBy(fields: string = "key", result: string = "_count", names?: string): Fields[] {
    return this.fnBy(fields, (items) => items.length, result, names);
  }

  sumBy(fields: string, of: string, result: string = "_sum", names?: string): Fields[] {
    return this.fnBy(fields, (items) => sumOf(items, of), result, names);
  }

  averageBy(fields: string, of: string, result: string = "_avg", names?: string): Fields[] {
    return this.fnBy(fields, (items) => averageOf(items, of), result, names);
  }

  minBy(fields: string, of: string, result: string = "_min", names?: string): Fields[] {
    return this.fnBy(fields, (items) => getPath(extreme(items, of, -1), of), result, names);
  }

  maxBy(fields: string, of: string, result: string = "_max", names?: string): Fields[] {
    return this.fnBy(fields, (items) => getPath(extreme(items, of, 1), of), result, names);
  }

  /** One map for each group: its keys, and in a field the result of a function for its items. */
  fnBy(fields: string, of: (items: unknown[]) => unknown, field: string = "_result", names?: string): Fields[] {
    const keyNames = (names ?? fields).split(",");
    const rows = (groups: unknown, keys: Fields, depth: number): Fields[] => {
      if (isArray(groups)) return [{ ...keys, [field]: of(groups) }];
      return Object.entries(groups as object).flatMap(([key, own]) =>
        rows(own, { ...keys, [keyNames[depth] ?? ""]: key }, depth + 1),
      );
    };
    return rows(groupBy(this.#apply(), fields), {}, 0);
  }

  each(body: (item: unknown, index: number) => unknown): this {
    this.#apply().forEach(body);
    return this;
  }

  /** Sorts by these fields. A `-` before a field sorts in descending order. */
  sort(...fields: string[]): this {
    const order = (a: unknown, b: unknown): number => {
      for (const field of fields) {
        const down = field.startsWith("-");
        const path = down ? field.slice(1) : field;
        const [own, other] = [getPath(a, path), getPath(b, path)] as [number, number];
        if (own > other || own < other) return own > other !== down ? 1 : -1;
      }
      return 0;
    };
    return this.#continue((items) => [...items].sort(order));
  }

  /**
   * Keeps the items with these values, with this item in them, or for which a function returns true. Of maps,
   * a text keeps those whose field of that name is neither empty, 0 nor false.
   */
  filter(wanted: unknown): this {
    const keeps = (item: unknown): boolean => {
      if (typeof wanted === "function") return Boolean(wanted(item));
      if (isArray(item)) return arrayContains(item, wanted) >= 0;
      if (isMap(wanted))
        return !isMap(item) || Object.entries(wanted).every(([key, value]) => isSame(value, item[key]));
      if (isMap(item) && typeof wanted === "string") return Boolean(getPath(item, wanted));
      return typeof item === "object" || String(item) === String(wanted);
    };
    return this.#continue((items) => items.filter(keeps));
  }

  /** Sets a field of each item, to a value or to the result of a function for the item. */
  attach(field: string, value: unknown): this {
    return this.each((item) => setPath(item, field, typeof value === "function" ? value(item) : value));
  }

  attachBy(field: string, key: string, value: unknown, set: unknown): this {
    return this.each((item) => getPath(item, key) === value && setPath(item, field, set));
  }

  attachNotBy(field: string, key: string, value: unknown, set: unknown): this {
    return this.each((item) => getPath(item, key) !== value && setPath(item, field, set));
  }

  attachByEmpty(field: string, set: unknown): this {
    return this.each((item) => (getPath(item, field) ?? undefined) === undefined && setPath(item, field, set));
  }

  detach(field: string): this {
    return this.each((item) => unsetPath(item, field));
  }

  toDate(field: string): this {
    return this.each((item) => setPath(item, field, new Date(getPath(item, field) as string)));
  }

  intersect(others: readonly unknown[]): this {
    return this.#continue((items) => items.filter((item) => arrayContains(others, item) >= 0));
  }

  except(others: readonly unknown[]): this {
    return this.#continue((items) => items.filter((item) => arrayContains(others, item) < 0));
  }

  union(others: readonly unknown[]): this {
    return this.#continue((items) => uniqArray([...items, ...others]) as unknown[]);
  }

  /** A query as a map: calls under `where` and `transform`, and `select` or `selector` for the result. */
  query({ where = [], transform = [], select, selector }: QueryMap = {}): unknown {
    const call = ({ name, args = [] }: { readonly name?: unknown; readonly args?: readonly unknown[] }): unknown => {
      const method = (this as unknown as Record<string, unknown>)[String(name)];
      if (typeof method !== "function") throw new Error(`a query has no "${String(name)}"`);
      return method.apply(this, [...args]);
    };
    for (const { cond, args } of where) call({ name: cond, args: args ?? [] });
    for (const { func, args } of transform) call({ name: func, args: args ?? [] });
    if (selector?.func !== undefined) return call({ name: selector.func, args: selector.args ?? [] });
    return this.select(typeof select === "object" ? (select as Fields) : undefined);
  }

  cartesian(others: readonly unknown[]): this {
    const pair = (a: unknown, b: unknown): unknown => (isMap(b) ? merge(a, b) : [a, b]);
    return this.#continue((items) => items.flatMap((item) => others.map((other) => pair(item, other))));
  }

  /** Sets in each item the first of the others whose field `theirs` equals the item's `own`. */
  assign(others: unknown, field: string, own: string, theirs: string, otherwise?: unknown): this {
    const matching = (item: unknown): Query => $from(others).equals(theirs, getPath(item, own));
    return this.each((item) => setPath(item, field, matching(item).first(otherwise)));
  }

  /** Sets in each item all of the others whose field `theirs` equals the item's `own`. */
  join(others: unknown, field: string, own: string, theirs: string): this {
    return this.each((item) => setPath(item, field, $from(others).equals(theirs, getPath(item, own)).select()));
  }
}

function pick(item: unknown, fields: readonly string[]): Fields {
  const picked: Fields = {};
  for (const field of fields) {
    const [name = "", path = name] = field.split(":");
    setPath(picked, name, getPath(item, path));
  }
  return picked;
}

interface Query extends From, Conditions<Query> {}

/** Begins a query. Of a map, the values are the items, with their keys in `_key`. */
export function $from(items: unknown, key: string = "_key"): Query {
  if (!isMap(items)) return new From(isArray(items) ? items : items === undefined ? [] : [items]) as Query;
  for (const [name, item] of Object.entries(items)) if (isMap(item)) item[key] = name;
  return new From(Object.values(items)) as Query;
}

type Items = readonly unknown[];

/** The items by the text of a field. */
function group(items: Items, field?: string): Record<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const item of items) {
    const key = String(field === undefined ? item : getPath(item, field));
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return Object.fromEntries(groups);
}

/** Groups within groups, by fields with commas between them. */
function groupBy(items: Items, fields: string): Record<string, unknown> {
  const [field, ...rest] = fields.split(",");
  const groups = group(items, field);
  if (rest.length === 0) return groups;
  return Object.fromEntries(Object.entries(groups).map(([key, own]) => [key, groupBy(own, rest.join(","))]));
}

/** A group, as the guide to oJob Manager has it. */
interface Group {
  readonly key: string;
  readonly items: unknown[];
}

/**
 * Groups by their keys, with the `select` that the guide to oJob Manager calls; only OpenAF itself lacks
 * it.
 */
type Groups = Record<string, unknown[]> & { select<T>(selector: (group: Group) => T): T[] };

/** Adds `select` if no group has that name. It is not among the keys. */
function selectable(groups: Record<string, unknown>): Groups {
  const select = (selector: (group: Group) => unknown): unknown[] =>
    Object.entries(groups).map(([key, items]) => selector({ key, items: items as unknown[] }));
  if (!Object.hasOwn(groups, "select")) Object.defineProperty(groups, "select", { value: select });
  return groups as Groups;
}

/** The numbers of a field, or the items themselves if they are numbers, with their items. */
function numbersOf(items: Items, field?: string): { readonly item: unknown; readonly number: number }[] {
  return items
    .map((item) => ({ item, value: field === undefined ? item : getPath(item, field) }))
    .filter(({ value }) => value !== undefined && value !== null && value !== "" && Number.isFinite(Number(value)))
    .map(({ item, value }) => ({ item, number: Number(value) }));
}

/** The item with the greatest number, or with the least. */
function extreme(items: Items, field: string | undefined, sign: 1 | -1): unknown {
  let best: { readonly item: unknown; readonly number: number } | undefined;
  for (const one of numbersOf(items, field))
    if (best === undefined || one.number * sign > best.number * sign) best = one;
  return best?.item;
}

/** The sum of a field, or of its differences to the field `minus`. */
function sumOf(items: Items, field?: string, minus?: string): number {
  const both = withBoth(items, field, minus);
  const subtracted = minus === undefined ? 0 : sumOf(both, minus);
  return numbersOf(both, field).reduce((sum, { number }) => sum + number, 0) - subtracted;
}

/** The mean of a field, or of its differences to the field `minus`; `undefined` without numbers. */
function averageOf(items: Items, field?: string, minus?: string): number | undefined {
  const both = withBoth(items, field, minus);
  const { length } = numbersOf(both, field);
  return length === 0 ? undefined : sumOf(both, field, minus) / length;
}

/** The items that have numbers in both fields. */
function withBoth(items: Items, field?: string, minus?: string): Items {
  if (minus === undefined) return items;
  return numbersOf(
    numbersOf(items, field).map(({ item }) => item),
    minus,
  ).map(({ item }) => item);
}
