import { parseData } from "../../script/javascript.js";
import { isMap } from "../../text/template.js";

type Rule =
  | { holds(value: unknown, parameters: readonly unknown[]): boolean; not(parameters: readonly unknown[]): string }
  | { convert(value: unknown): unknown; not(parameters: readonly unknown[]): string };

function kind(words: string, holds: (value: unknown) => boolean): Rule {
  return { holds, not: () => `must be ${words}` };
}

/** A rule with one parameter, which its message shows. */
function against(words: string, holds: (value: unknown, parameter: unknown) => boolean): Rule {
  return {
    holds: (value, [parameter]) => holds(value, parameter),
    not: ([parameter]) => `must ${words} ${JSON.stringify(parameter)}`,
  };
}

function compared(words: string, holds: (value: number, parameter: number) => boolean): Rule {
  // The same operators compare texts. A text is compared with a number as a number.
  return against(
    `be ${words}`,
    (value, parameter) => areComparable(value, parameter) && holds(value as number, parameter as number),
  );
}

function areComparable(value: unknown, parameter: unknown): boolean {
  return typeof value === typeof parameter || (typeof parameter === "number" && canBeNumber(value));
}

/** Whether a value is a number, or the text of one: a file with @ojm/openaf gets such texts. */
function canBeNumber(value: unknown): boolean {
  if (typeof value === "string") return value.trim() !== "" && Number.isFinite(Number(value));
  return typeof value === "number" && !Number.isNaN(value);
}

function ofText(words: string, holds: (value: string, parameter: string) => boolean): Rule {
  return against(words, (value, parameter) => holds(String(value), String(parameter)));
}

function among(value: unknown, list: readonly unknown[]): boolean {
  return list.some((one) => same(one, value));
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function contains(value: unknown, part: unknown): boolean {
  return Array.isArray(value) ? among(part, value) : String(value).includes(String(part));
}

function between(open: boolean): Rule {
  return {
    holds: (value, [low, high]) => {
      const [from, to, own] = [low as number, high as number, value as number];
      return areComparable(value, low) && (open ? own > from && own < to : own >= from && own <= to);
    },
    not: ([low, high]) => `must be between ${JSON.stringify(low)} and ${JSON.stringify(high)}`,
  };
}

function toNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() === "" ? Number.NaN : Number(value);
  return Number.isNaN(number) ? undefined : number;
}

function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  const text = String(value).trim().toLowerCase();
  return ["true", "yes", "1"].includes(text) ? true : ["false", "no", "0", ""].includes(text) ? false : undefined;
}

function toArray(value: unknown): unknown[] {
  const parts = String(value).split(",");
  return Array.isArray(value) ? value : parts.map((one) => one.trim());
}

/** A map, or the map that a text holds: as JSON, or as JavaScript writes it. */
function toMap(value: unknown): unknown {
  const map = typeof value === "string" ? parseData(value) : value;
  return isMap(map) ? map : undefined;
}

function toDate(value: unknown): Date | undefined {
  const date = new Date(value as string);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function pattern(value: unknown, [parameter]: readonly unknown[]): boolean {
  // A pattern is a text or, as in a script, stands between slashes.
  const slashes = /^\/(.*)\/([a-z]*)$/s.exec(String(parameter));
  return new RegExp(slashes?.[1] ?? String(parameter), slashes?.[2] ?? "").test(String(value));
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** The rules that a check may use, beside `default`. */
export const rules: Readonly<Record<string, Rule>> = {
  isString: kind("a text", (value) => typeof value === "string"),
  isNumber: kind("a number", canBeNumber),
  isInteger: kind("a whole number", (value) => Number.isInteger(value)),
  isTNumber: kind("a number", (value) => typeof value === "number" && !Number.isNaN(value)),
  isBoolean: kind("true or false", (value) => typeof value === "boolean"),
  isArray: kind("a list", Array.isArray),
  isMap: kind("a map", isMap),
  isObject: kind("a map or a list", (value) => typeof value === "object"),
  isDate: kind("a date", (value) => value instanceof Date && !Number.isNaN(value.getTime())),
  isUUID: kind("a UUID", (value) => UUID.test(String(value))),
  toNumber: { convert: toNumber, not: () => "cannot be made a number" },
  toString: {
    convert: (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value)),
    not: () => "",
  },
  toBoolean: { convert: toBoolean, not: () => "cannot be made true or false" },
  toArray: { convert: toArray, not: () => "" },
  toMap: { convert: toMap, not: () => "cannot be made a map" },
  toDate: { convert: toDate, not: () => "cannot be made a date" },
  oneOf: {
    holds: (value, [list]) => among(value, Array.isArray(list) ? list : [list]),
    not: ([list]) =>
      `must be one of ${(Array.isArray(list) ? list : [list]).map((one) => JSON.stringify(one)).join(", ")}`,
  },
  equals: against("be", same),
  notEquals: against("not be", (value, other) => !same(value, other)),
  greater: compared("more than", (value, other) => value > other),
  greaterEquals: compared("at least", (value, other) => value >= other),
  less: compared("less than", (value, other) => value < other),
  lessEquals: compared("at most", (value, other) => value <= other),
  between: between(true),
  betweenEquals: between(false),
  starts: ofText("start with", (value, part) => value.startsWith(part)),
  notStarts: ofText("not start with", (value, part) => !value.startsWith(part)),
  ends: ofText("end with", (value, part) => value.endsWith(part)),
  notEnds: ofText("not end with", (value, part) => !value.endsWith(part)),
  contains: against("contain", contains),
  notContains: against("not contain", (value, part) => !contains(value, part)),
  regexp: { holds: pattern, not: ([parameter]) => `must match ${String(parameter)}` },
};
