/** Whether there is a value. `null` counts as one. */
export function isDef(value: unknown): boolean {
  return value !== undefined;
}

/** Whether there is no value. */
export function isUnDef(value: unknown): boolean {
  return value === undefined;
}

/** Whether it is `null`. */
export function isNull(value: unknown): boolean {
  return value === null;
}

/** Whether it is a text. */
export function isString(value: unknown): boolean {
  return typeof value === "string";
}

/** Whether it is a number other than `NaN`. */
export function isNumber(value: unknown): boolean {
  return typeof value === "number" && !Number.isNaN(value);
}

/** Whether it is a list. */
export function isArray(value: unknown): boolean {
  return Array.isArray(value);
}

/** Whether it is a map: an object that is no list. */
export function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether it is a function. */
export function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
