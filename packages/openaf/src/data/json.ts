import { thread } from "../thread.js";

/** The part of a text from its first bracket to the last of that kind. */
function jsonPart(text: string): string {
  const bounds = [
    [text.indexOf("{"), text.lastIndexOf("}")],
    [text.indexOf("["), text.lastIndexOf("]")],
  ] as const;
  const [best] = bounds.filter(([from, to]) => from >= 0 && to > from).sort(([a], [b]) => a - b);
  return best === undefined ? text : text.slice(best[0], best[1] + 1);
}

/**
 * The value of JSON, also as JavaScript writes it, unless `alternative` is false. Any other text stays as it
 * is. With `ignore`, what stands around the JSON is left out. For no text it is `{}`.
 */
export function jsonParse(text?: unknown, alternative: unknown = true, _unsafe?: unknown, ignore?: unknown): unknown {
  if (text === undefined || text === null || String(text) === "") return {};
  const whole = typeof text === "string" && ignore ? jsonPart(text) : text;
  const value = thread.jsonParse(whole, Boolean(alternative));
  return value === whole ? text : value;
}

/** JSON, by default with two spaces for each level. What cannot be JSON becomes a text. */
export function stringify(value: unknown, replacer?: unknown, space: string | number = "  "): string {
  return thread.stringify(value, replacer, space);
}
