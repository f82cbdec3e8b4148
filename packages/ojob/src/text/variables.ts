import { type Variables, variableOf } from "./environment.js";
import { fill } from "./template.js";
import { valueAt } from "./value-at.js";

/** `${x}`, `${x:-default}`, `${x:?message}`. `$` escapes it, as in compose files, and `\`, as in OpenAF. */
const VARIABLE = /([$\\]?)\$\{([\p{L}_][\p{L}\p{N}_.-]*?)(?::([-?])([^{}]*))?\}/gu;

/** Stands around the number of a value, until the templates are filled. */
const MARK = "\u0000";

/** Receives what has no value, as it is written, and the message of a `${x:?message}`. */
export type MissingValue = (written: string, message?: string) => void;

/** How the texts of a job file are filled. */
export interface Filling {
  readonly missing: MissingValue;
  /** Whether a variable without a value stays. Otherwise it becomes nothing. */
  readonly keep: boolean;
  /** The environment. */
  readonly variables: Variables;
}

/**
 * Fills the variables and templates of a text of the job file. A variable is another argument, as in
 * OpenAF, or a variable of the environment. One without a value becomes nothing, with `keep` it stays.
 */
function fillText(text: string, data: unknown, filling: Filling): unknown {
  const { missing, keep, variables } = filling;
  const template = (path: string): void => missing(`{{${path}}}`);
  if (!text.includes("${")) return fill(text, data, template, variables);
  const [whole] = text.matchAll(VARIABLE);
  if (whole?.[0] === text && whole[1] === "") {
    const value = find(whole, data, filling);
    return value === undefined && keep ? text : value;
  }
  const values: string[] = [];
  // A value is data: templates in it are not ours to fill, so it is put in after them.
  const marked = text.replace(VARIABLE, (...match) => {
    const [all, escaped] = match as string[];
    const value = escaped ? all?.slice(1) : find(match as string[], data, filling);
    values.push(value === undefined ? (keep ? (all ?? "") : "") : toText(value));
    return `${MARK}${values.length - 1}${MARK}`;
  });
  const filled = fill(marked, data, template, variables);
  if (typeof filled !== "string") return filled;
  // Every second part is the number of a value.
  return filled
    .split(MARK)
    .map((part, index) => (index % 2 === 0 ? part : values[Number(part)]))
    .join("");
}

/** Fills the variables of a text from those of the environment alone. One without a value becomes nothing. */
export function fillVariables(text: string, variables: Variables, missing: MissingValue): string {
  if (!text.includes("${")) return text;
  return text.replace(VARIABLE, (...match) => {
    const [all = "", escaped] = match as string[];
    if (escaped) return all.slice(1);
    return String(find(match as string[], {}, { variables, missing, keep: false }) ?? "");
  });
}

function find([all = "", , name = "", kind, rest]: readonly string[], data: unknown, filling: Filling): unknown {
  const { variables, missing } = filling;
  // As in a shell, an empty variable of the environment is none where the file says what to do without one.
  const environment = variableOf(variables, name);
  const value = valueAt(data, name) ?? (kind !== undefined && environment === "" ? undefined : environment);
  if (value !== undefined) return value;
  if (kind === "-") return rest;
  if (kind === "?") missing(all, rest?.trim() || "it is required");
  else missing(all);
  return undefined;
}

function toText(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** Fills the variables and templates of every text in a value. */
export function fillAll(value: unknown, data: unknown, filling: Filling): unknown {
  if (typeof value === "string") return fillText(value, data, filling);
  if (Array.isArray(value)) return value.map((item) => fillAll(item, data, filling));
  // Only plain maps have templates. A Date or a Buffer that a script passed on does not.
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillAll(item, data, filling)]));
}
