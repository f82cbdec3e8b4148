/** A map of OpenAF: an object that is not a list, date, pattern or the like. */
export type Fields = Record<string, unknown>;

export type Functions = Readonly<Record<string, unknown>>;

/** A table in a text: a name, a blank, its value, and so on. */
export function pairs(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/(\S+) (\S+)/g)].map(([, name, value]) => [name, value]));
}

/** Whether it is an object, but not a list, date, pattern or the like. */
export const isMap = (value: unknown): value is Fields => Object.prototype.toString.call(value) === "[object Object]";

/** Whether it is an object of any kind, a list or a function. */
export function isObject(value: unknown): value is object {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

/** Whether it is a number, or a text that is one. */
export function isNumber(value: unknown): boolean {
  return !Number.isNaN(Number.parseFloat(String(value))) && Number.isFinite(Number(value));
}

/** Whether it is of the type number. */
export const isTNumber = (value: unknown): value is number => typeof value === "number";

/** Whether it is a whole number, not a text. */
export const isInteger = (value: unknown): boolean => isNumber(value) && Number.isSafeInteger(value);

/** Whether it is a number that is not whole. */
export const isDecimal = (value: unknown): boolean => isNumber(value) && !isInteger(value);

/** Whether it is a text. */
export const isString = (value: unknown): value is string => typeof value === "string";

/** Whether it is `true` or `false`. */
export const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";

/** Whether it is a date. */
export const isDate = (value: unknown): value is Date => value instanceof Date && !Number.isNaN(value.getTime());

/** Whether the value is `null` or `undefined`. */
export const isNull = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Whether these are bytes. */
export const isByteArray = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

/** Whether it is the text of a UUID. */
export function isUUID(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
}

/** Whether a value is missing. An old name of OpenAF. */
export const isUndefined = (value: unknown): boolean => value === undefined;

/** Whether a value is present. An old name of OpenAF. */
export const isDefined = (value: unknown): boolean => value !== undefined;

/** Always false: ojm has no Java objects. */
export const isJavaObject = (_value: unknown): boolean => false;

/** The kind of a value, as a word. */
export function descType(value: unknown): string {
  if (value === undefined) return "undefined";
  if (value === null) return "null";
  if (isByteArray(value)) return "bytearray";
  if (isBoolean(value)) return "boolean";
  if (Array.isArray(value)) return "array";
  if (isDate(value)) return "date";
  if (isNumber(value)) return "number";
  if (isString(value)) return "string";
  if (typeof value === "function") return "function";
  return isMap(value) ? "map" : "object";
}

/** `true` for the text "true" in any case, and for numbers other than 0. Anything else stays as it is. */
export function toBoolean(value: unknown): unknown {
  if (isNumber(value)) return typeof value === "string" ? true : Boolean(value);
  return typeof value === "string" ? value.trim().toLowerCase() === "true" : value;
}

/** The value, or `otherwise` if it is `undefined` or `null`. */
export const nvl = (value: unknown, otherwise: unknown): unknown => value ?? otherwise;
