import { looselyEqual } from "../data/compare.js";
import { isBoolean, isDate, isMap, isNumber, isObject, isString, isTNumber, isUUID } from "../data/types.js";
import { thread } from "../thread.js";

type Test = (value: unknown) => boolean;

/**
 * The checks of one value: `_$(args.port, "port").toNumber().isNumber().default(80)`. Only `default` and
 * `$_`, which end the chain, throw. They throw a text, as in OpenAF.
 */
export class ArgumentCheck {
  #value: unknown;
  readonly #prefix: string;
  /** The complaints of each part between `or()`. */
  readonly #parts: string[][] = [[]];

  constructor(value: unknown, prefix?: unknown) {
    this.#value = value;
    this.#prefix = prefix === undefined ? "" : `${String(prefix)} `;
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

  isNumber(message?: unknown): this {
    return this.#test(isNumber, message, "is not a number");
  }

  isTNumber(message?: unknown): this {
    return this.#test(isTNumber, message, "is not a number type");
  }

  isString(message?: unknown): this {
    return this.#test(isString, message, "is not a string");
  }

  isBoolean(message?: unknown): this {
    return this.#test(isBoolean, message, "is not boolean");
  }

  isArray(message?: unknown): this {
    return this.#test(Array.isArray, message, "is not an array");
  }

  isMap(message?: unknown): this {
    return this.#test(isMap, message, "is not a map");
  }

  isObject(message?: unknown): this {
    return this.#test(isObject, message, "is not an object");
  }

  isDate(message?: unknown): this {
    return this.#test(isDate, message, "is not a date");
  }

  isRegExp(message?: unknown): this {
    return this.#test((value) => value instanceof RegExp, message, "is not a RegExp");
  }

  isFunction(message?: unknown): this {
    return this.#test((value) => typeof value === "function", message, "is not a function");
  }

  isUUID(message?: unknown): this {
    return this.#test(isUUID, message, "is not an UUID");
  }

  isNotNull(message?: unknown): this {
    return this.#test((value) => value !== null, message, "is null");
  }

  isInstanceOf(type: new (...given: never[]) => unknown, message?: unknown): this {
    return this.#test((value) => value instanceof type, message, `is not an instance of ${type.name}`);
  }

  toNumber(): this {
    return this.#convert(Number);
  }

  toString(): this & string {
    return this.#convert(String) as this & string;
  }

  toBoolean(): this {
    return this.#convert((value) => {
      if (isNumber(value)) return isString(value) ? true : Boolean(value);
      return isString(value) ? value.trim().toLowerCase() === "true" : value;
    });
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

  /** Calls a function with the value, or reads a text as the expression of one in `v`. */
  check(test: ((value: unknown) => unknown) | string, message?: unknown): this {
    const call =
      typeof test === "function" ? test : (new Function("v", `return ${test}`) as (value: unknown) => unknown);
    return this.#test((value) => Boolean(call(value)), message, "is not ok");
  }

  /** Fills the value into a text as `{{v}}`, and evaluates the text as code. */
  expr(code: string, message?: unknown): this {
    const holds = (value: unknown): unknown => new Function(`return ${thread.templify(code, { v: value })}`)();
    return this.#test((value) => Boolean(holds(value)), message, "is not ok");
  }

  /** Complains if the value is this one, as in OpenAF: `notEquals` says that it must be. */
  equals(other: unknown, message?: unknown): this {
    return this.#test((value) => !looselyEqual(value, other), message, `is equals to ${String(other)}`);
  }

  /** Complains if the value is another one. */
  notEquals(other: unknown, message?: unknown): this {
    return this.#test((value) => looselyEqual(value, other), message, `is not equals to ${String(other)}`);
  }

  oneOf(list: readonly unknown[], message?: unknown): this {
    must(Array.isArray(list), "please provide an array of values");
    const test: Test = (value) => Array.isArray(value) || list.includes(value);
    return this.#test(test, message, `is not one of ${JSON.stringify(list)}`);
  }

  /** All items of the value must be in the list. */
  anyOf(list: readonly unknown[], message?: unknown): this {
    must(Array.isArray(list), "please provide an array of values");
    const test: Test = (value) => !Array.isArray(value) || value.every((one) => list.includes(one));
    return this.#test(test, message, `has a value not in ${JSON.stringify(list)}`);
  }

  between(low: number, high: number, message?: unknown): this {
    return this.#compare((value) => value > low && value < high, message, `is not between ${low} and ${high}`);
  }

  betweenEquals(low: number, high: number, message?: unknown): this {
    return this.#compare((value) => value >= low && value <= high, message, `is not between ${low} and ${high}`);
  }

  less(limit: number, message?: unknown): this {
    return this.#compare((value) => value < limit, message, `is less than ${limit}`);
  }

  lessEquals(limit: number, message?: unknown): this {
    return this.#compare((value) => value <= limit, message, `is less or equals than ${limit}`);
  }

  greater(limit: number, message?: unknown): this {
    return this.#compare((value) => value > limit, message, `is greater than ${limit}`);
  }

  greaterEquals(limit: number, message?: unknown): this {
    return this.#compare((value) => value >= limit, message, `is greater or equals than ${limit}`);
  }

  notEmpty(message?: unknown): this {
    return this.#test((value) => String(value) !== "", message, "is empty");
  }

  empty(message?: unknown): this {
    return this.#test((value) => String(value) === "", message, "is not empty");
  }

  contains(part: string, message?: unknown): this {
    return this.#test((value) => String(value).includes(part), message, `doesn't contain ${part}`);
  }

  notContains(part: string, message?: unknown): this {
    return this.#test((value) => !String(value).includes(part), message, `contains ${part}`);
  }

  starts(part: string, message?: unknown): this {
    return this.#test((value) => String(value).startsWith(part), message, `doesn't start with '${part}'`);
  }

  ends(part: string, message?: unknown): this {
    return this.#test((value) => String(value).endsWith(part), message, `doesn't end with '${part}'`);
  }

  notStarts(part: string, message?: unknown): this {
    return this.#test((value) => !String(value).startsWith(part), message, `starts with '${part}'`);
  }

  notEnds(part: string, message?: unknown): this {
    return this.#test((value) => !String(value).endsWith(part), message, `ends with '${part}'`);
  }

  regexp(pattern: RegExp, message?: unknown): this {
    must(pattern instanceof RegExp, `is not a regular expression (${String(pattern)})`);
    return this.#test(
      (value) => new RegExp(pattern).test(String(value)),
      message,
      `doesn't match '${String(pattern)}'`,
    );
  }

  /** A missing value passes every check. */
  #test(passes: Test, message: unknown, standard: string): this {
    if (this.#value !== undefined && !passes(this.#value)) this.#complain(message, standard);
    return this;
  }

  #compare(passes: (value: number) => boolean, message: unknown, standard: string): this {
    return this.#test((value) => passes(value as number), message, standard);
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

function must(holds: boolean, message: string): void {
  if (!holds) throw message;
}

/** Begins the checks of a value. Each complaint begins with the prefix. */
export function _$(value?: unknown, prefix?: unknown): ArgumentCheck {
  return new ArgumentCheck(value, prefix);
}
