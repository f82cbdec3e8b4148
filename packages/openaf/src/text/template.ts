import { thread } from "../thread.js";

/** What scripts have added. */
const helpers: Record<string, unknown> = {};

/**
 * Helpers get the values of the call. What Handlebars adds to them in the end is theirs too, as in OpenAF.
 */
export function addHelpers(prefix: unknown, map: unknown): void {
  for (const [name, helper] of Object.entries(Object(map) as object))
    if (typeof helper === "function") helpers[`${String(prefix)}${name}`] = helper;
}

/** Fills a template. */
export function parse(text: unknown, data?: unknown): string {
  return thread.templify(text, data, Object.keys(helpers).length > 0 ? helpers : undefined);
}

/** Forgets a helper that a script has added. */
export function delHelper(name: string): void {
  delete helpers[name];
}
