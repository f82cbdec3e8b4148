/*
 * The valid shape of a value that was read from a store. Any program can write to a store, so each field of
 * an entry is checked before use.
 */

/** The furthest instants from 1970, either way, that a `Date` can show, in ms. */
const LAST_INSTANT = 8_640_000_000_000_000;

/** The longest id that is accepted as one of ours. A longer one cannot be part of a key in every store. */
const LONGEST_ID = 256;

/** The fields of a map, not yet checked. */
export type Fields<T> = { readonly [K in keyof T]?: unknown };

/** Whether a value is a map. A JavaScript program may pass any value as options. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The fields of a value; `undefined` if the value is not a map. */
export function fieldsOf<T>(value: unknown): Fields<T> | undefined {
  return isMap(value) ? (value as Fields<T>) : undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A text that can be a part of a key in every store: printable ASCII, neither empty nor long. */
export function isId(value: unknown): value is string {
  return isText(value) && value.length <= LONGEST_ID && /^[ -~]+$/.test(value);
}

/** An instant that a `Date` can show, in ms since 1970. */
export function isTime(value: unknown): value is number {
  return isNumber(value) && Math.abs(value) <= LAST_INSTANT;
}

/** A number, not below zero and finite. JSON has no infinity, but a parser makes one of `1e999`. */
export function isSpan(value: unknown): value is number {
  return isNumber(value) && value >= 0;
}

export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** A whole number, not below zero, such as a pid. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a field is absent or passes `check`. */
export function isOptional(value: unknown, check: (value: unknown) => boolean): boolean {
  return value === undefined || check(value);
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** A map without its fields that are `undefined`. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
