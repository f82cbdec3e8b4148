import { isArray } from "../data/compare.js";
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
 * The value of a JSON text, or of a JavaScript literal unless `alternative` is false. Any other text stays as
 * it is. With `ignore`, text around the JSON is skipped. Without a text it is `{}`.
 */
export function jsonParse(text?: unknown, alternative: unknown = true, _unsafe?: unknown, ignore?: unknown): unknown {
  if (text === undefined || text === null || String(text) === "") return {};
  const whole = typeof text === "string" && ignore ? jsonPart(text) : text;
  const value = thread.jsonParse(whole, Boolean(alternative));
  return value === whole ? text : value;
}

/** JSON, by default with two spaces for each level. Values that JSON cannot have become texts. */
export function stringify(value: unknown, replacer?: unknown, space: string | number = "  "): string {
  return thread.stringify(value, replacer, space);
}

/** A value as YAML; with `multiDoc` each item of a list as a document of its own. */
export function toYAML(value: unknown, multiDoc?: unknown): string {
  const write = (one: unknown): string => String(thread.toYAML(one));
  return isArray(value) && multiDoc ? value.map(write).join("\n---\n\n") : write(value);
}

/** The value of YAML, or a list of the values of its documents. */
export function fromYAML(text: unknown): unknown {
  return thread.fromYAML(String(text));
}

/** The encodings of Java that have another name in Node. */
const ENCODINGS: Readonly<Record<string, BufferEncoding>> = {
  "utf-8": "utf8",
  utf8: "utf8",
  "us-ascii": "latin1",
  ascii: "latin1",
  "iso-8859-1": "latin1",
  latin1: "latin1",
  "utf-16le": "utf16le",
};

export function encodingOf(name: unknown = "utf8"): BufferEncoding {
  const encoding = ENCODINGS[String(name).toLowerCase()];
  if (encoding === undefined) throw new Error(`the encoding "${String(name)}" is not known here: use UTF-8`);
  return encoding;
}

/** The helpers that scripts have added. */
const helpers: Record<string, unknown> = {};

/** Helpers get the values of the call, and the options that Handlebars appends to them, as in OpenAF. */
export function addHelpers(prefix: unknown, map: unknown): void {
  for (const [name, helper] of Object.entries(Object(map) as object))
    if (typeof helper === "function") helpers[`${String(prefix)}${name}`] = helper;
}

/** Fills a template of Handlebars, with the helpers of `ow.template.addHelper`. */
export function parse(text: unknown, data?: unknown): string {
  return thread.templify(text, data, Object.keys(helpers).length > 0 ? helpers : undefined);
}

/** Forgets a helper that a script has added. */
export function delHelper(name: string): void {
  delete helpers[name];
}
