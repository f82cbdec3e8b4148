import { looselyEqual } from "../data/compare.js";
import { isBoolean, isDate, isMap, isNumber, isObject, isString, isTNumber, isUUID, toBoolean } from "../data/types.js";
import { thread } from "../thread.js";

/** What a value must pass, and the complaint if it does not. */
type Check = readonly [passes: (value: unknown) => unknown, complaint: string];

/** A value that is compared. Texts and the like are compared as JavaScript does. */
const size = (value: unknown): number => value as number;

/** The checks by their names, made of their parameters. A message may follow the parameters of a call. */
const CHECKS = {
  isNumber: (): Check => [isNumber, "is not a number"],
  isTNumber: (): Check => [isTNumber, "is not a number type"],
  isString: (): Check => [isString, "is not a string"],
  isBoolean: (): Check => [isBoolean, "is not boolean"],
  isArray: (): Check => [Array.isArray, "is not an array"],
  isMap: (): Check => [isMap, "is not a map"],
  isObject: (): Check => [isObject, "is not an object"],
  isDate: (): Check => [isDate, "is not a date"],
  isRegExp: (): Check => [(value) => value instanceof RegExp, "is not a RegExp"],
  isFunction: (): Check => [(value) => typeof value === "function", "is not a function"],
  isUUID: (): Check => [isUUID, "is not an UUID"],
  isNotNull: (): Check => [(value) => value !== null, "is null"],
  isInstanceOf: (type: new (...given: never[]) => unknown): Check => [
    (value) => value instanceof type,
    `is not an instance of ${type.name}`,
  ],
  /** Calls a function with the value, or reads a text as the expression of one in `v`. */
  check: (test: ((value: unknown) => unknown) | string): Check => [
    typeof test === "function" ? test : (new Function("v", `return ${test}`) as (value: unknown) => unknown),
    "is not ok",
  ],
  /** Fills the value into a text as `{{v}}`, and evaluates the text as code. */
  expr: (code: string): Check => [
    (value) => new Function(`return ${thread.templify(code, { v: value })}`)(),
    "is not ok",
  ],
  /** Complains if the value is this one, as in OpenAF: `notEquals` says that it must be. */
  equals: (other: unknown): Check => [(value) => !looselyEqual(value, other), `is equals to ${String(other)}`],
  /** Complains if the value is another one. */
  notEquals: (other: unknown): Check => [(value) => looselyEqual(value, other), `is not equals to ${String(other)}`],
  oneOf(list: readonly unknown[]): Check {
    must(Array.isArray(list), "please provide an array of values");
    return [(value) => Array.isArray(value) || list.includes(value), `is not one of ${JSON.stringify(list)}`];
  },
  /** All items of the value must be in the list. */
  anyOf(list: readonly unknown[]): Check {
    must(Array.isArray(list), "please provide an array of values");
    return [
      (value) => !Array.isArray(value) || value.every((one) => list.includes(one)),
      `has a value not in ${JSON.stringify(list)}`,
    ];
  },
  between: (low: number, high: number): Check => [
    (value) => size(value) > low && size(value) < high,
    `is not between ${low} and ${high}`,
  ],
  betweenEquals: (low: number, high: number): Check => [
    (value) => size(value) >= low && size(value) <= high,
    `is not between ${low} and ${high}`,
  ],
  less: (limit: number): Check => [(value) => size(value) < limit, `is less than ${limit}`],
  lessEquals: (limit: number): Check => [(value) => size(value) <= limit, `is less or equals than ${limit}`],
  greater: (limit: number): Check => [(value) => size(value) > limit, `is greater than ${limit}`],
  greaterEquals: (limit: number): Check => [(value) => size(value) >= limit, `is greater or equals than ${limit}`],
  notEmpty: (): Check => [(value) => String(value) !== "", "is empty"],
  empty: (): Check => [(value) => String(value) === "", "is not empty"],
  contains: (part: string): Check => [(value) => String(value).includes(part), `doesn't contain ${part}`],
  notContains: (part: string): Check => [(value) => !String(value).includes(part), `contains ${part}`],
  starts: (part: string): Check => [(value) => String(value).startsWith(part), `doesn't start with '${part}'`],
  ends: (part: string): Check => [(value) => String(value).endsWith(part), `doesn't end with '${part}'`],
  notStarts: (part: string): Check => [(value) => !String(value).startsWith(part), `starts with '${part}'`],
  notEnds: (part: string): Check => [(value) => !String(value).endsWith(part), `ends with '${part}'`],
  regexp(pattern: RegExp): Check {
    must(pattern instanceof RegExp, `is not a regular expression (${String(pattern)})`);
    return [(value) => new RegExp(pattern).test(String(value)), `doesn't match '${String(pattern)}'`];
  },
};

function must(holds: boolean, message: string): void {
  if (!holds) throw message;
}

type Checks = typeof CHECKS;

/**
 * The checks of one value: `_$(args.port, "port").toNumber().isNumber().default(80)`. Only `default` and
 * `$_`, which end the chain, throw. They throw a text, as in OpenAF.
 */
type ArgumentCheck = Checked & {
  readonly [Name in keyof Checks]: (...given: [...Parameters<Checks[Name]>, message?: unknown]) => ArgumentCheck;
};

/** A value and the complaints about it. */
class Checked {
  #value: unknown;
  readonly #prefix: string;
  /** The complaints of each part between `or()`. */
  readonly #parts: string[][] = [[]];

  constructor(value: unknown, prefix?: unknown) {
    this.#value = value;
    this.#prefix = prefix === undefined ? "" : `${String(prefix)} `;
  }

  static {
    for (const [name, check] of Object.entries(CHECKS)) {
      const value = function (this: Checked, ...given: unknown[]): Checked {
        const [passes, complaint] = (check as (...parameters: unknown[]) => Check)(...given.slice(0, check.length));
        // A missing value passes every check.
        if (this.#value !== undefined && !passes(this.#value)) this.#complain(given[check.length], complaint);
        return this;
      };
      Object.defineProperty(Checked.prototype, name, { value, writable: true, configurable: true });
    }
  }

  /** The value, or this one if it is missing. Throws the complaints of the checks. */
  default(otherwise?: unknown): unknown {
    this.#throw();
    return this.#value === undefined ? otherwise : this.#value;
  }

  /** The value. Throws the complaints of the checks, and if the value is missing. */
  $_(message?: unknown): unknown {
    if (this.#value === undefined) this.#complain(message, "not defined or assigned");
    this.#throw();
    return this.#value;
  }

  /** The checks before it or those after it must pass. */
  or(): this {
    this.#parts.push([]);
    return this;
  }

  toNumber(): this {
    return this.#convert(Number);
  }

  toString(): this & string {
    return this.#convert(String) as this & string;
  }

  toBoolean(): this {
    return this.#convert(toBoolean);
  }

  /** Splits a text at its commas. */
  toArray(): this {
    return this.#convert((value) =>
      Array.isArray(value)
        ? value
        : String(value)
            .split(",")
            .map((one) => one.trim()),
    );
  }

  /** Reads a text as JSON, or as a JavaScript literal of a map. */
  toMap(): this {
    return this.#convert((value) => (isString(value) ? thread.jsonParse(value, true) : value));
  }

  toDate(): this {
    return this.#convert((value) => new Date(value as string));
  }

  #convert(to: (value: unknown) => unknown): this {
    if (this.#value !== undefined) this.#value = to(this.#value);
    return this;
  }

  #complain(message: unknown, standard: string): void {
    this.#parts.at(-1)?.push(message === undefined ? this.#prefix + standard : String(message));
  }

  #throw(): void {
    if (this.#parts.every((part) => part.length > 0)) throw this.#parts.map((part) => part.join("; ")).join(" and ");
  }
}

/** Begins the checks of a value. Each complaint begins with the prefix. */
export function _$(value?: unknown, prefix?: unknown): ArgumentCheck {
  return new Checked(value, prefix) as ArgumentCheck;
}
