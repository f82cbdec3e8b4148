import type { Variables } from "./environment.js";
import { fillBlocks } from "./handlebars/handlebars.js";
import { valueAt } from "./value-at.js";

const TEMPLATE = /\{\{\{?\s*([\p{L}\p{N}_$.[\]-]+)\s*\}?\}\}/gu;

/**
 * A block, or a call of a helper that we have. All else that is no plain template stays as written:
 * `{{.Names}}` is Docker's, and `{{$x := .}}` Go's.
 */
const BLOCK =
  /\{\{\{?~?\s*(?:[#^]|(?:lookup|\$(?:nvl|stringify|stringifyInLine|toJSON|env|number|boolean|string|date|isoDate|keys|values|len|repeat|range|concat|nl|pass)?)(?=[\s}~]))/;

/** Whether only Handlebars can fill the text: it has blocks, calls of helpers, or braces that are none. */
export function hasBlocks(text: string): boolean {
  return text.includes("{{") && (BLOCK.test(text) || text.includes("\\{{"));
}

/** The path of the template that is the whole text; `undefined` if the text is anything else. */
export function wholeTemplate(text: unknown): string | undefined {
  if (typeof text !== "string" || !text.includes("{{")) return undefined;
  const [whole] = text.matchAll(TEMPLATE);
  return whole?.[0] === text ? whole[1] : undefined;
}

/** The first template that is left in a text, as it is written, also one that nothing can fill. */
export function firstTemplate(text: string): string | undefined {
  return /\{\{[^{}]*\}\}|\$\{[^{}]*\}/.exec(text)?.[0];
}

function toText(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/**
 * Fills the `{{templates}}` of a text. A template that is the whole text becomes the value itself, so that a
 * number stays a number. A template without a value stays as written, and `missing` receives its path.
 * `variables` are what the helper `$env` reads. Default: the environment of this thread.
 */
export function fill(text: string, data: unknown, missing: (path: string) => void, variables?: Variables): unknown {
  if (!text.includes("{{")) return text;
  const whole = wholeTemplate(text);
  if (whole !== undefined) {
    const value = valueAt(data, whole);
    if (value === undefined) missing(whole);
    return value ?? text;
  }
  if (hasBlocks(text)) return fillBlocks(text, data, { html: false, missing, variables });
  return text.replace(TEMPLATE, (template, path: string) => {
    const value = valueAt(data, path);
    if (value === undefined) missing(path);
    return value === undefined ? template : toText(value);
  });
}

/** Fills the templates of a script, which stays text. Other templates are not ours to fill, and stay. */
export function fillScript(code: string, args: unknown, variables: Variables): string {
  // With a character before it, a template that is the whole text becomes text too.
  return String(fill(` ${code}`, args, () => {}, variables)).slice(1);
}
