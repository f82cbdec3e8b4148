import type { HelperDelegate } from "handlebars";
import { escapeHtml, fillBlocks, isMap, toText, valueAt } from "../../../text/template.js";

/** A new map with the fields of both. `over` wins. Maps within are merged in the same way. */
export function merge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return clone(over === undefined ? base : over);
  const merged = clone(base);
  for (const [key, value] of Object.entries(over)) {
    // An assignment to a field called "__proto__" would set the prototype.
    const both = Object.hasOwn(merged, key) ? merge(merged[key], value) : clone(value);
    Object.defineProperty(merged, key, { value: both, writable: true, enumerable: true, configurable: true });
  }
  return merged;
}

/** A deep copy. Functions within are shared. */
export function clone<T>(value: T): T {
  try {
    return structuredClone(value);
  } catch {
    if (Array.isArray(value)) return value.map(clone) as T;
    if (!isMap(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clone(item)])) as T;
  }
}

/** The part of a value that can leave the thread: no functions, no circular references. */
export function portable(value: unknown, seen: Set<object> = new Set()): unknown {
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return undefined;
  seen.add(value);
  if (Array.isArray(value)) return value.map((item) => portable(item, seen) ?? null);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return cloneable(value) ? value : undefined;
  const entries = Object.entries(value).map(([key, item]) => [key, portable(item, seen)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

function cloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** A template that is a path, in two or three braces. */
const PLAIN = /\{\{(?:\{\s*([\p{L}\p{N}_$.-]+)\s*\}|\s*([\p{L}\p{N}_$.-]+)\s*)\}\}/gu;

/** Fills a template of Handlebars, with `helpers`. A path without a value becomes an empty text. */
export function templify(
  template: unknown,
  data: unknown = globalThis,
  helpers?: Readonly<Record<string, HelperDelegate>>,
): string {
  const text = String(template ?? "");
  if (!text.includes("{{")) return text;
  if (helpers !== undefined) return fillBlocks(text, data, { html: true, helpers });
  // Most templates are only paths. They do not need Handlebars, which takes long to load.
  const plain = text.replace(PLAIN, "");
  const isPlain = !plain.includes("{{") && !text.includes("\\{{");
  if (!isPlain || /\{\{\{?\s*(?:\$|this|else)/.test(text)) return fillBlocks(text, data, { html: true });
  return text.replace(PLAIN, (_, raw: string | undefined, escaped: string | undefined) => {
    const value = toText(valueAt(data, raw ?? escaped ?? "") ?? "");
    return raw === undefined ? escapeHtml(value) : value;
  });
}
