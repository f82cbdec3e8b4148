import { gzipSync } from "node:zlib";
import { __pm } from "../control/control.js";
import { isArray } from "../data/compare.js";
import { type Fields, isMap } from "../data/types.js";
import { $path } from "../path/path.js";
import { $csv } from "../text/csv.js";
import { fromJSSLON, toSLON } from "../text/slon.js";
import { toYAML } from "../text/texts.js";
import { fromObj2XML } from "../text/xml.js";
import { thread } from "../thread.js";
import { inColour, isColoured } from "./color.js";
import { printMap } from "./map.js";
import { colorify } from "./print.js";
import { printTable } from "./table.js";
import { printTree, type TreeOptions } from "./tree.js";
import { terminalWidth } from "./width.js";

/** Formats a value: a text to write, or `undefined` for an unsupported kind of value. */
type Format = (value: unknown, given: Fields) => string | undefined;

const tree =
  (options: TreeOptions): Format =>
  (value) =>
    isMap(value) || isArray(value) ? printTree(value, undefined, options) : textOf(value);

const table =
  (width: () => number | undefined, count: boolean): Format =>
  (value) => {
    const list = isMap(value) ? [value] : value;
    return isArray(list) ? printTable(list, width(), count) : undefined;
  };

const json = (value: unknown, space: string): string => thread.stringify(value, undefined, space);

const FORMATS: Readonly<Record<string, Format>> = {
  json: (value) => json(value, ""),
  prettyjson: (value) => json(value, "  "),
  cjson: (value) => inColour(() => colorify(value)),
  gb64json: (value) => gzipSync(json(value, "")).toString("base64"),
  slon: (value) => toSLON(value),
  cslon: (value) => toSLON(value),
  ndjson: (value) => (isArray(value) ? value.map((item) => json(item, "")).join("\n") : undefined),
  xml: (value) => fromObj2XML(value),
  yaml: (value) => toYAML(value),
  cyaml: (value) => toYAML(value),
  table: table(() => undefined, false),
  stable: table(terminalWidth, true),
  ctable: (value, given) => inColour(() => table(terminalWidth, true)(value, given)),
  tree: tree({ color: false }),
  ctree: (value, given) => inColour(() => tree({ noansi: false, color: true })(value, given)),
  mtree: tree({ noansi: true, mono: true, curved: false }),
  btree: tree({ noansi: true }),
  map: (value) => (isMap(value) || isArray(value) ? printMap(value) : undefined),
  text: (value) => String(value),
  csv(value, given) {
    const list = isMap(value) ? [value] : value;
    const options = argument(given, "csv");
    const settings =
      typeof options === "string" ? fromJSSLON(options, (text) => thread.jsonParse(text, true)) : options;
    return isArray(list) ? String($csv(settings as Fields | undefined).fromInArray(list)) : undefined;
  },
};

/** Formats of OpenAF that need Java, or that only its own programs read. */
const MISSING = ["html", "jsmap", "md", "toon", "kyaml", "ckyaml", "lkyaml", "clkyaml"];

/** Formats that store the value instead of writing it. */
const KEEPING: Readonly<Record<string, (value: unknown, given: Fields) => void>> = {
  res: (value) => void thread.$set("res", value),
  key: (value, given) => void thread.$set(String(argument(given, "key") ?? "res"), value),
  pm: (value) => keepIn(__pm, value),
  args: (value, given) => keepIn(given, value),
};

function keepIn(map: Fields, value: unknown): void {
  map[isArray(value) ? "_list" : isMap(value) ? "_map" : "result"] = value;
}

function argument(given: Fields, name: string): unknown {
  return given[`__${name}`] ?? given[`__${name.toUpperCase()}`];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : json(value, "  ");
}

/**
 * Writes a value in the format that the argument `__format` names: json, yaml, table, tree, csv and so on.
 * Without one it is a tree. `__path` chooses a part of it. With `shouldReturn` it returns the text.
 */
export function $output(value: unknown, args?: unknown, show?: unknown, shouldReturn?: unknown): string | undefined {
  const given = (args ?? {}) as Fields;
  const { __format: standard } = globalThis as { __format?: unknown };
  const format = String(argument(given, "format") ?? standard ?? "human").toLowerCase();
  const path = argument(given, "path");
  const result = path === undefined ? value : $path(value, String(path));
  for (const name of ["from", "sql"]) {
    if (argument(given, name) !== undefined) throw new Error(`ow.oJob.output has no "__${name}" here: use "__path"`);
  }
  if (MISSING.includes(format)) throw new Error(`ow.oJob.output has no format "${format}" here: use json or yaml`);
  const text = written(result, format, given, show);
  if (shouldReturn) return text;
  if (text !== undefined) thread.print(text);
  return undefined;
}

/** The text to write; `undefined` if the value is stored, or shown by the function of the script. */
function written(value: unknown, format: string, given: Fields, show: unknown): string | undefined {
  const keepAs = (one: unknown): void => void thread.$set(format.slice("set_".length), one);
  const keep = format.startsWith("set_") ? keepAs : KEEPING[format];
  if (keep !== undefined) {
    keep(value, given);
    return undefined;
  }
  const known = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (known !== undefined) return known(value, given) ?? textOf(value);
  if (typeof show !== "function") return tree({ noansi: !isColoured() })(value, given);
  show(value);
  return undefined;
}
