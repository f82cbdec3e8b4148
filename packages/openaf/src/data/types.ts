/** A map of OpenAF: an object that is not a list, date, pattern or the like. */
export type Fields = Record<string, unknown>;

export type Functions = Readonly<Record<string, unknown>>;

/** A table in a text: a name, a blank, its value, and so on. */
export function pairs(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/(\S+) (\S+)/g)].map(([, name, value]) => [name, value]));
}

/** Whether it is an object, but not a list, date, pattern or the like. */
export function isMap(value: unknown): value is Fields {
  return Object.prototype.toString.call(value) === "[object Object]";
}

/** Whether it is an object of any kind, a list or a function. */
export function isObject(value: unknown): value is object {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

/** Whether it is a number, or a text that is one. */
export function isNumber(value: unknown): boolean {
  return !Number.isNaN(Number.parseFloat(String(value))) && Number.isFinite(Number(value));
}

/** Whether it is of the type number. */
export function isTNumber(value: unknown): value is number {
  return typeof value === "number";
}

/** Whether it is a whole number, not a text. */
export function isInteger(value: unknown): boolean {
  return isNumber(value) && Number.isSafeInteger(value);
}

/** Whether it is a number that is not whole. */
export function isDecimal(value: unknown): boolean {
  return isNumber(value) && !isInteger(value);
}

/** Whether it is a text. */
export function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** Whether it is `true` or `false`. */
export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

/** Whether it is a date. */
export function isDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

/** Whether the value is `null` or `undefined`. */
export function isNull(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

/** Whether these are bytes. */
export function isByteArray(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** Whether it is the text of a UUID. */
export function isUUID(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
}

/** Whether a value is missing. An old name of OpenAF. */
export function isUndefined(value: unknown): boolean {
  return value === undefined;
}

/** Whether a value is present. An old name of OpenAF. */
export function isDefined(value: unknown): boolean {
  return value !== undefined;
}

/** Always false: ojm has no Java objects. */
export function isJavaObject(_value: unknown): boolean {
  return false;
}

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
export function nvl(value: unknown, otherwise: unknown): unknown {
  return value ?? otherwise;
}
