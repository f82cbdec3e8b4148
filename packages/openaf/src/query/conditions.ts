import { looselyEqual } from "../data/compare.js";
import { isMap, isNumber } from "../data/types.js";

/** What a condition says of a value. `wanted` is one value, or two for `between`. */
type Holds = (value: unknown, wanted: readonly unknown[], useCase: boolean) => boolean;

/** The text of a value, for a comparison with a text. */
function text(value: unknown, useCase: boolean): string {
  return useCase ? String(value) : String(value).toLowerCase();
}

/** `NaN` if the value cannot be compared. A text that is a number is one, as in OpenAF. */
function compare(value: unknown, wanted: unknown, useCase: boolean): number {
  if (typeof wanted !== "string" || isNumber(wanted)) {
    const own = typeof wanted === "string" && !useCase ? String(value) : value;
    return value === undefined ? Number.NaN : Number(own) - Number(wanted);
  }
  const [own, other] = [text(value, useCase), text(wanted, useCase)];
  return own < other ? -1 : own > other ? 1 : 0;
}

/** The name of a condition. */
export type Condition =
  | "starts"
  | "ends"
  | "contains"
  | "equals"
  | "greater"
  | "greaterEquals"
  | "less"
  | "lessEquals"
  | "between"
  | "betweenEquals"
  | "match"
  | "type"
  | "empty"
  | "is";

/** The conditions of a query. A text is compared as text, in any case unless `useCase`. */
export const CONDITIONS: Readonly<Record<Condition, Holds>> = {
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

/** The opposite of an order is the other order, as in OpenAF: for what cannot be compared neither holds. */
export const OPPOSITES: Readonly<Partial<Record<Condition, Holds>>> = {
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

/** What a call such as `equals("a.b", 1)` or `equals({ a: { b: 1 } })` asks: values by their fields. */
export function questionsOf(condition: Condition, given: readonly unknown[]): [string | undefined, unknown[]][] {
  const [first, ...rest] = given;
  if (isMap(first) && rest[0] === undefined) return fieldsOf(first).map(([field, value]) => [field, [value]]);
  if (OF_FIELD.includes(condition)) return [[first === undefined ? undefined : String(first), []]];
  const wanted = condition.startsWith("between") ? 2 : 1;
  // With one value less, the items themselves are asked.
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
