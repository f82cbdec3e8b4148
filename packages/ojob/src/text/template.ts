const TEMPLATE = /\{\{\{?\s*([\p{L}\p{N}_$.[\]-]+)\s*\}?\}\}/gu;

/** The value at a path like `order.items.0.id`. `undefined` if the path leads nowhere. */
export function valueAt(data: unknown, path: string): unknown {
  let value: unknown = data;
  for (const part of path.replace(/\[(\d+)\]/g, ".$1").split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** The path of the template that is the whole text; `undefined` if the text is anything else. */
export function wholeTemplate(text: unknown): string | undefined {
  if (typeof text !== "string" || !text.includes("{{")) return undefined;
  const [whole] = text.matchAll(TEMPLATE);
  return whole?.[0] === text ? whole[1] : undefined;
}

/** The first template that is left in a text, as it is written, also one that nothing can fill. */
export function firstTemplate(text: string): string | undefined {
  return /\{\{[^{}]*\}\}/.exec(text)?.[0];
}

function toText(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/**
 * Fills the `{{templates}}` of a text. A template that is the whole text becomes the value itself, so that a
 * number stays a number. A template without a value stays as written, and `missing` receives its path.
 */
export function fill(text: string, data: unknown, missing: (path: string) => void): unknown {
  if (!text.includes("{{")) return text;
  const whole = wholeTemplate(text);
  if (whole !== undefined) {
    const value = valueAt(data, whole);
    if (value === undefined) missing(whole);
    return value ?? text;
  }
  return text.replace(TEMPLATE, (template, path: string) => {
    const value = valueAt(data, path);
    if (value === undefined) missing(path);
    return value === undefined ? template : toText(value);
  });
}

/** Fills the templates of every text in a value. */
export function fillAll(value: unknown, data: unknown, missing: (path: string) => void): unknown {
  if (typeof value === "string") return fill(value, data, missing);
  if (Array.isArray(value)) return value.map((item) => fillAll(item, data, missing));
  // Only plain maps have templates. A Date or a Buffer that a script passed on does not.
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillAll(item, data, missing)]));
}
