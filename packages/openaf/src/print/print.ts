import { isArray } from "../data/compare.js";
import { isDate, isMap } from "../data/types.js";
import { withSideLine } from "../format/text.js";
import { toSLON } from "../text/slon.js";
import { toYAML } from "../text/texts.js";
import { thread } from "../thread.js";
import { COLOUR_OF, color, colourOf } from "./color.js";

/** Writes a text to the output or the error output, without a line break. */
function write(text: unknown, toError = false): void {
  const all = String(text ?? "");
  if (all !== "") (toError ? process.stderr : process.stdout).write(all);
}

/** A list as its items with commas, a date in words, as in JavaScript. A list with maps becomes JSON. */
function asText(value: unknown): unknown {
  if (isDate(value)) return String(value);
  return isArray(value) && value.every((item) => typeof item !== "object" || item === null) ? String(value) : value;
}

/* The shortcut (fn) of ojm reads the names of the parameters of these functions. */

/** Writes a value and a line break. A map is written as JSON. */
export const print = (value?: unknown): void => thread.print(asText(value));

/** Writes a value and a line break to the output for errors, as {@link print} does. */
export const printErr = (value?: unknown): void => thread.printErr(asText(value));

/** Logs a value. A map is logged as JSON. */
export const log = (message: unknown): void => thread.log(asText(message));
export const logErr = (message: unknown): void => thread.logErr(asText(message));
export const logWarn = (message: unknown): void => thread.logWarn(asText(message));

/** Logs a message. The log consists of lines, so it still ends with a line break. */
export const lognl = (message: unknown): void => thread.log(message);

/** Writes a text without a line break. */
export const printnl = (text?: unknown): void => write(text);

/** Writes a text to the output for errors, without a line break. */
export const printErrnl = (text?: unknown): void => write(text, true);

const filled = (template: unknown, data: unknown): string => thread.templify(template, data);

/** Fills a template and writes it. Without data, its values are the globals. */
export const tprint = (template: unknown, data?: unknown): void => write(`${filled(template, data)}\n`);
export const tprintnl = (template: unknown, data?: unknown): void => write(filled(template, data));
export const tprintErr = (template: unknown, data?: unknown): void => write(`${filled(template, data)}\n`, true);
export const tprintErrnl = (template: unknown, data?: unknown): void => write(filled(template, data), true);

/** Fills a template and logs it. */
export const tlog = (template: unknown, data?: unknown): void => thread.log(filled(template, data));
export const tlogErr = (template: unknown, data?: unknown): void => thread.logErr(filled(template, data));
export const tlogWarn = (template: unknown, data?: unknown): void => thread.logWarn(filled(template, data));

type Space = string | number;

const json = (value: unknown, space?: Space): string => thread.stringify(value, undefined, space ?? "  ");

/** Writes a value as JSON. */
export const sprint = (value: unknown, space?: Space): void => write(`${json(value, space)}\n`);
export const sprintnl = (value: unknown, space?: Space): void => write(json(value, space));
export const sprintErr = (value: unknown, space?: Space): void => write(`${json(value, space)}\n`, true);
export const sprintErrnl = (value: unknown, space?: Space): void => write(json(value, space), true);
export const bprint = (value: unknown): void => write(`${json(value)}\n`);

/** Writes a value as YAML. */
export const yprint = (value: unknown, multiDoc?: unknown): void => write(`${toYAML(value, multiDoc)}\n`);
export const yprintErr = (value: unknown, multiDoc?: unknown): void => write(`${toYAML(value, multiDoc)}\n`, true);

/** Writes a value as SLON. */
export const lprint = (value: unknown): void => write(`${toSLON(value)}\n`);
export const lprintErr = (value: unknown): void => write(`${toSLON(value)}\n`, true);

/** Writes a value as JSON, coloured on a terminal. */
export const cprint = (value: unknown): void => write(`${colorify(value)}\n`);
export const cprintnl = (value: unknown): void => write(colorify(value));
export const cprintErr = (value: unknown): void => write(`${colorify(value)}\n`, true);

/** JSON in colours. A text stays as it is. */
export function colorify(value: unknown, _options?: unknown, indent: string = ""): string {
  if (typeof value === "string" || value === null || value === undefined) return String(value);
  return coloured(value, indent);
}

function coloured(value: unknown, indent: string): string {
  if (!isArray(value) && !isMap(value)) return color(colourOf(value), JSON.stringify(value) ?? String(value));
  const [open, close] = isArray(value) ? ["[", "]"] : ["{", "}"];
  const entries = Object.entries(value);
  if (entries.length === 0) return open + close;
  const inner = `${indent}  `;
  const lines = entries.map(([key, item]) => {
    const name = isArray(value) ? "" : `${color(COLOUR_OF.key, JSON.stringify(key))}: `;
    return inner + name + coloured(item, inner);
  });
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

/** Frames of Node and of ojm itself, which do not concern the script. */
const INNER = /node:internal|node:vm|script-worker|[\\/]ojob[\\/](src|dist)[\\/]/;

/** Writes an exception with its stack, or returns that text. Throws it again if requested. */
export function $err(exception: unknown, rethrow?: unknown, returnText?: unknown): string | undefined {
  const text = textOf(exception);
  if (!returnText) printnl(`${withSideLine(text, undefined, "RED")}\n`);
  if (rethrow) throw exception;
  return returnText ? text : undefined;
}

function textOf(exception: unknown): string {
  if (!(exception instanceof Error))
    return typeof exception === "object" ? JSON.stringify(exception) : String(exception);
  const frames = (exception.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line) && !INNER.test(line));
  return [`${exception.name}: ${exception.message}`, ...frames].join("\n");
}
