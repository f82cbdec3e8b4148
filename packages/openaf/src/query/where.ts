import { looselyEqual } from "../data/compare.js";
import { getPath } from "../data/maps.js";
import { isMap, isNumber } from "../data/types.js";

/** Evaluates a condition for a value. `wanted` is one value, or two for `between`. */
type Holds = (value: unknown, wanted: readonly unknown[], useCase: boolean) => boolean;

/** The text of a value, for a comparison with a text. */
function text(value: unknown, useCase: boolean): string {
  return useCase ? String(value) : String(value).toLowerCase();
}

/** `NaN` if the value cannot be compared. The text of a number counts as a number, as in OpenAF. */
function compare(value: unknown, wanted: unknown, useCase: boolean): number {
  if (typeof wanted !== "string" || isNumber(wanted)) {
    const own = typeof wanted === "string" && !useCase ? String(value) : value;
    return value === undefined ? Number.NaN : Number(own) - Number(wanted);
  }
  const [own, other] = [text(value, useCase), text(wanted, useCase)];
  return own < other ? -1 : own > other ? 1 : 0;
}

type Order = "greater" | "greaterEquals" | "less" | "lessEquals" | "between" | "betweenEquals";

/** The name of a condition. */
type Condition = Order | "starts" | "ends" | "contains" | "equals" | "match" | "type" | "empty" | "is";

/** The conditions of a query. A text is compared as text, ignoring case unless `useCase`. */
const CONDITIONS: Readonly<Record<Condition, Holds>> = {
  starts: (value, [wanted], useCase) => text(value, useCase).startsWith(text(wanted, useCase)),
  ends: (value, [wanted], useCase) => text(value, useCase).endsWith(text(wanted, useCase)),
  contains: (value, [wanted], useCase) => text(value, useCase).includes(text(wanted, useCase)),
  equals: (value, [wanted], useCase) => {
    if (typeof wanted === "string" && isNumber(wanted)) return compare(value, wanted, useCase) === 0;
    return typeof wanted === "string" ? text(value, useCase) === text(wanted, useCase) : looselyEqual(value, wanted);
  },
  greater: (value, [wanted], useCase) => compare(value, wanted, useCase) > 0,
  greaterEquals: (value, [wanted], useCase) => compare(value, wanted, useCase) >= 0,
  less: (value, [wanted], useCase) => compare(value, wanted, useCase) < 0,
  lessEquals: (value, [wanted], useCase) => compare(value, wanted, useCase) <= 0,
  between: (value, [low, high], useCase) => compare(value, low, useCase) > 0 && compare(value, high, useCase) < 0,
  betweenEquals: (value, [low, high], useCase) =>
    compare(value, low, useCase) >= 0 && compare(value, high, useCase) <= 0,
  match: (value, [wanted], useCase) => new RegExp(wanted as string, useCase ? "" : "i").test(String(value)),
  type: (value, [wanted]) => typeof value === String(wanted).toLowerCase(),
  empty: (value) => value === undefined || String(value) === "",
  is: (value) => Boolean(value),
};

/**
 * The opposite of an order is the other order, as in OpenAF: for values that cannot be compared, neither
 * holds.
 */
const OPPOSITES: Readonly<Partial<Record<Condition, Holds>>> = {
  greater: CONDITIONS.lessEquals,
  greaterEquals: CONDITIONS.less,
  less: CONDITIONS.greaterEquals,
  lessEquals: CONDITIONS.greater,
  between: (value, [low, high], useCase) => compare(value, low, useCase) < 0 || compare(value, high, useCase) > 0,
  betweenEquals: (value, [low, high], useCase) =>
    compare(value, low, useCase) <= 0 || compare(value, high, useCase) >= 0,
};

/** The conditions whose first parameter can only be a field. */
const OF_FIELD: readonly Condition[] = ["empty", "is"];

/** The values by field that a call such as `equals("a.b", 1)` or `equals({ a: { b: 1 } })` compares. */
function questionsOf(condition: Condition, given: readonly unknown[]): [string | undefined, unknown[]][] {
  const [first, ...rest] = given;
  if (isMap(first) && rest[0] === undefined) return fieldsOf(first).map(([field, value]) => [field, [value]]);
  if (OF_FIELD.includes(condition)) return [[first === undefined ? undefined : String(first), []]];
  const wanted = condition.startsWith("between") ? 2 : 1;
  // With one value less, the items themselves are compared.
  if (rest.slice(0, wanted).some((value) => value === undefined) || rest.length < wanted) {
    return [[undefined, given.slice(0, wanted)]];
  }
  return [[String(first), rest]];
}

function fieldsOf(map: Readonly<Record<string, unknown>>, path: string = ""): [string, unknown][] {
  return Object.entries(map).flatMap(([key, value]): [string, unknown][] =>
    isMap(value) ? fieldsOf(value, `${path}${key}.`) : [[path + key, value]],
  );
}

type Test = (item: unknown) => boolean;

/** Conditions joined by "and". The groups of a query are joined by "or". */
type Conjunction = Test[];

type Mode = "and" | "or" | "not" | "andNot" | "orNot";

/** Whether the conditions from here on are joined by "or", and whether they are negated. */
const MODES: Readonly<Record<Mode, readonly [or: boolean | undefined, not: boolean | undefined]>> = {
  and: [false, undefined],
  or: [true, undefined],
  not: [undefined, true],
  andNot: [false, true],
  orNot: [true, true],
};

/** The conditions of a query by all of their names, as `equals` and `andNotEquals`, and the modes alone. */
export type Conditions<Self> = {
  [Name in Condition | Mode | `${Mode}${Capitalize<Condition>}`]: (...given: unknown[]) => Self;
};

/** The conditions of a query. As in JavaScript, "and" binds closer than "or". */
export class Where {
  items: unknown[];
  /** How many items the query began with. */
  readonly total: number;
  #groups: Conjunction[] = [[]];
  /** The conditions before an opened block. */
  #outer: Conjunction[][] = [];
  #or = false;
  #not = false;
  #useCase = false;
  #limit = 0;
  #skip = 0;

  constructor(items: unknown[]) {
    this.items = items;
    this.total = items.length;
  }

  static {
    const define = (name: string, value: (this: Where, ...given: unknown[]) => Where): void =>
      void Object.defineProperty(Where.prototype, name, { value });
    for (const [mode, [or, not]] of Object.entries(MODES)) {
      define(mode, function () {
        this.#or = or ?? this.#or;
        this.#not = not ?? this.#not;
        return this;
      });
    }
    for (const name of Object.keys(CONDITIONS) as Condition[]) {
      for (const mode of ["", ...Object.keys(MODES)]) {
        const whole = mode === "" ? name : mode + name[0]?.toUpperCase() + name.slice(1);
        define(whole, function (...given) {
          return this.#condition(name, given, mode);
        });
      }
    }
  }

  /** Compares texts with case from here on. */
  useCase(use: unknown = true): this {
    this.#useCase = Boolean(use);
    return this;
  }

  ignoreCase(ignore: unknown = true): this {
    this.#useCase = !ignore;
    return this;
  }

  /** Keeps the first items; with a negative number the last. */
  limit(count: number): this {
    this.#limit = Number(count);
    return this;
  }

  head(count: number): this {
    return this.limit(count);
  }

  take(count: number): this {
    return this.limit(count);
  }

  tail(count: number): this {
    return this.limit(-count);
  }

  skip(count: number): this {
    this.#skip = Number(count);
    return this;
  }

  skipTake(skip: number, take: number): this {
    return this.skip(skip).limit(take);
  }

  /** Opens a block, as a bracket does. */
  begin(): this {
    this.#outer.push(this.#groups);
    this.#groups = [[]];
    return this;
  }

  andBegin(): this {
    return this.begin();
  }

  orBegin(): this {
    this.#groups.push([]);
    return this.begin();
  }

  /** Closes a block. */
  end(): this {
    const groups = this.#groups;
    const outer = this.#outer.pop();
    if (outer === undefined) return this;
    this.#groups = outer;
    if (groups.some((group) => group.length > 0)) outer.at(-1)?.push((item) => holds(groups, item));
    return this;
  }

  /** Keeps the items for which the function returns true. */
  where(test: (item: unknown) => unknown): this {
    return this.#add((item) => Boolean(test(item)) !== this.#not, this.#or);
  }

  andWhere(test: (item: unknown) => unknown): this {
    return this.#add((item) => Boolean(test(item)), false);
  }

  orWhere(test: (item: unknown) => unknown): this {
    return this.#add((item) => Boolean(test(item)), true);
  }

  notWhere(test: (item: unknown) => unknown): this {
    return this.#add((item) => !test(item), this.#or);
  }

  takeWhile(test: (item: unknown) => unknown): this {
    return this.where(test);
  }

  skipWhile(test: (item: unknown) => unknown): this {
    return this.notWhere(test);
  }

  #condition(name: Condition, given: readonly unknown[], mode: string): this {
    const or = /^or/.test(mode) || (!/^and/.test(mode) && this.#or);
    const not = /not/i.test(mode) || (mode === "" && this.#not);
    const useCase = this.#useCase;
    const opposite = not ? OPPOSITES[name] : undefined;
    const test = opposite ?? CONDITIONS[name];
    for (const [field, wanted] of questionsOf(name, given)) {
      const value = (item: unknown): unknown => (field === undefined ? item : getPath(item, field));
      this.#add((item) => test(value(item), wanted, useCase) !== (not && opposite === undefined), or);
    }
    return this;
  }

  /** The items for which the conditions hold. */
  protected matching(): unknown[] {
    while (this.#outer.length > 0) this.end();
    const any = this.#groups.some((group) => group.length > 0);
    const found = any ? this.items.filter((item) => item !== undefined && holds(this.#groups, item)) : this.items;
    const rest = any ? found : found.slice(this.#skip);
    const limited = this.#limit < 0 ? rest.slice(this.#limit) : this.#limit > 0 ? rest.slice(0, this.#limit) : rest;
    return any ? limited.slice(this.#skip) : limited;
  }

  /** The conditions have been applied. */
  protected forget(): void {
    this.#groups = [[]];
    this.#limit = 0;
    this.#skip = 0;
  }

  #add(test: Test, or: boolean): this {
    const last = this.#groups.at(-1);
    if (or && last !== undefined && last.length > 0) this.#groups.push([test]);
    else last?.push(test);
    return this;
  }
}

function holds(groups: readonly Conjunction[], item: unknown): boolean {
  return groups.some((group) => group.length > 0 && group.every((test) => test(item)));
}
