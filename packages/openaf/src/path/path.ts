import { randomInt } from "node:crypto";
import { createRequire } from "node:module";
import type * as JmesPath from "@jmespath-community/jmespath";
import { range, uniqArray } from "../data/compare.js";
import {
  $a2m,
  $m2a,
  flatMap,
  fromArray2Obj,
  fromObj2Array,
  merge,
  searchKeys,
  searchValues,
  setPath,
  splitBySepWithEnc,
  unsetPath,
} from "../data/maps.js";
import { type Fields, isDate, isMap, isNumber } from "../data/types.js";
import { fromDate, fromISODate, TIMES, timeago, toDate } from "../format/dates.js";
import {
  compareSemantic,
  fromBytesAbbreviation,
  fromSIAbbreviation,
  fromTimeAbbreviation,
  toAbbreviation,
  toBytesAbbreviation,
} from "../format/numbers.js";
import { printf } from "../format/text.js";
import { $from } from "../query/from.js";
import { $csv } from "../text/csv.js";
import { fromJSSLON, fromSLON, toSLON } from "../text/slon.js";
import { fromYAML, toYAML } from "../text/texts.js";
import { fromObj2XML, fromXML2Obj } from "../text/xml.js";
import { thread } from "../thread.js";

let loaded: typeof JmesPath | undefined;

/** The library takes time to load, so it is loaded at the first path. */
function library(): typeof JmesPath {
  if (loaded !== undefined) return loaded;
  const jmespath = createRequire(import.meta.url)("@jmespath-community/jmespath") as typeof JmesPath;
  for (const [name, of] of Object.entries(PATH_FUNCTIONS)) register(jmespath, name, of);
  registerOrders(jmespath.registerFunction, jmespath.TYPE_ANY);
  loaded = jmespath;
  return jmespath;
}

function register({ registerFunction, TYPE_ANY }: typeof JmesPath, name: string, [count, call]: PathFunction): void {
  const signature = Array.from({ length: count }, () => ({ types: [TYPE_ANY] }));
  registerFunction(name, (values) => call(...(values as never[])) as never, signature, { override: true });
}

/** The part of a value that an expression of JMESPath names. */
export function $path(value: unknown, path: unknown = "@", functions?: unknown): unknown {
  if (isMap(functions)) throw new Error("$path takes no functions of the script here: call them with what it returns");
  const { compile, TreeInterpreter } = library();
  // In OpenAF a text may stand between backticks without quotes.
  const expression = compile(String(path), { enable_legacy_literals: true });
  return TreeInterpreter.search(withOrder(expression), value as never);
}

/** A function that a path may call: the number of its values, and its result. */
type PathFunction = readonly [count: number, call: (...values: never[]) => unknown];

function dateOf(value: unknown): unknown {
  return isNumber(value) ? new Date(Number(value)) : fromISODate(String(value));
}

function isoDate(value: unknown): unknown {
  const date = dateOf(value);
  return isDate(date) ? date.toISOString() : value;
}

/** How many of a unit have passed since a date, or `otherwise` if the value is not a date. */
function dateDiff(since: unknown, unit: unknown, otherwise: unknown): unknown {
  const date = new Date(since as number);
  if (since === null || Number.isNaN(date.getTime())) return otherwise ?? null;
  const name = typeof unit === "string" && unit !== "" ? unit : "seconds";
  const difference = dateDiffs[`in${name[0]?.toUpperCase()}${name.slice(1)}`] ?? dateDiffs["inSeconds"];
  return difference?.(date);
}

const dateDiffs = TIMES["dateDiff"] as Readonly<Record<string, (since: Date) => unknown>>;

function environment(pattern: string): Fields[] {
  const matches = Object.entries(process.env).filter(([name]) => new RegExp(pattern).test(name));
  return matches.map(([name, value]) => ({ name, value }));
}

function settingsOf(text: unknown): Fields {
  return (typeof text === "string" ? fromJSSLON(text, (one) => thread.jsonParse(one, true)) : {}) as Fields;
}

function json(value: unknown, space?: string): string {
  return thread.stringify(value, undefined, space);
}

const PATH_FUNCTIONS: Readonly<Record<string, PathFunction>> = {
  a2m: [2, $a2m],
  a4m: [3, fromArray2Obj],
  add: [2, (a: number, b: number) => a + b],
  assign: [3, setPath],
  at: [2, (list: unknown[], index: number) => list[index]],
  amerge: [2, merge],
  concat: [2, (a: string, b: string) => a.concat(b)],
  count_by: [2, (list: unknown[], field: string) => $from(list).countBy(field)],
  date_diff: [3, dateDiff],
  delete: [2, unsetPath],
  div: [2, (a: number, b: number) => a / b],
  env: [1, (name: string) => process.env[name]],
  envs: [1, environment],
  flat_map: [1, (value: unknown) => flatMap(value)],
  format: [2, (value: unknown, format: string) => printf(format, value)],
  formatn: [2, (value: unknown, format: string) => printf(format, value)],
  from_bytesAbbr: [1, (text: string) => fromBytesAbbreviation(text)],
  from_csv: [2, (text: string, settings: unknown) => $csv(settingsOf(settings)).fromInString(text).toOutArray()],
  from_datef: [2, (value: Date | string, format: string) => fromDate(value, format)],
  from_json: [1, (text: string) => thread.jsonParse(text, true)],
  from_siAbbr: [1, fromSIAbbreviation],
  from_slon: [1, fromSLON],
  from_timeAbbr: [1, fromTimeAbbreviation],
  from_xml: [1, (text: string) => fromXML2Obj(text)],
  from_yaml: [1, fromYAML],
  group: [2, (list: unknown[], field: string) => $from(list).group(field)],
  group_by: [2, (list: unknown[], field: string) => $from(list).groupBy(field)],
  if: [3, (condition: unknown, then: unknown, otherwise: unknown) => (condition ? then : otherwise)],
  index_of: [2, (text: string, part: string) => text.indexOf(part)],
  insert: [3, setPath],
  last_index_of: [2, (text: string, part: string) => text.lastIndexOf(part)],
  lower_case: [1, (text: string) => text.toLowerCase()],
  m2a: [2, $m2a],
  m4a: [2, fromObj2Array],
  match: [3, (text: string, pattern: string, flags: string) => new RegExp(pattern, flags).test(text)],
  mod: [2, (a: number, b: number) => a % b],
  mul: [2, (a: number, b: number) => a * b],
  now: [1, (ago: number) => Date.now() - ago],
  nvl: [2, (value: unknown, otherwise: unknown) => value ?? otherwise],
  random: [2, (min: number, max: number) => randomInt(min, max + 1)],
  range: [1, (count: number) => range(count)],
  ranges: [3, range],
  replace: [
    4,
    (text: string, pattern: string, flags: string, by: string) => text.replace(new RegExp(pattern, flags), by),
  ],
  search_keys: [2, (value: unknown, key: string) => searchKeys(value, key)],
  search_values: [2, (value: unknown, text: string) => searchValues(value, text)],
  sort_semver: [1, (list: string[]) => [...list].sort(compareSemantic)],
  split: [2, (text: string, separator: string) => text.split(separator)],
  split_re: [2, (text: string, pattern: string) => text.split(new RegExp(pattern))],
  split_sep: [
    3,
    (text: string, separator: string, pairs: [string, string][]) => splitBySepWithEnc(text, separator, pairs),
  ],
  sub: [2, (a: number, b: number) => a - b],
  substring: [3, (text: string, from: number, to: number) => String(text).substring(from, to)],
  t: [2, (value: unknown, template: string) => thread.templify(template, value)],
  template: [2, (value: unknown, template: string) => thread.templify(template, value)],
  timeago: [1, (value: string) => timeago(value)],
  timeagoAbbr: [1, (value: string) => timeago(value, true)],
  to_bytesAbbr: [1, (bytes: number) => toBytesAbbreviation(bytes)],
  to_csv: [2, (list: unknown[], settings: unknown) => $csv(settingsOf(settings)).fromInArray(list)],
  to_date: [1, dateOf],
  to_datef: [2, (text: string, format: string) => toDate(text, format)],
  to_isoDate: [1, isoDate],
  to_json: [2, (value: unknown, space: string) => json(value, space)],
  to_map: [2, (list: unknown[], field: string) => $from(list).mselect(undefined, field)],
  to_ms: [1, (value: unknown) => (isDate(value) ? value.getTime() : value)],
  to_numAbbr: [1, (number: number) => toAbbreviation(number)],
  to_slon: [1, (value: unknown) => toSLON(value)],
  to_xml: [1, (value: unknown) => fromObj2XML(value)],
  to_yaml: [2, (value: Fields, multiDoc: boolean) => toYAML(value, multiDoc)],
  trim: [1, (text: string) => text.trim()],
  unique: [1, uniqArray],
  upper_case: [1, (text: string) => text.toUpperCase()],
};

/** JMESPath orders numbers only. OpenAF orders like JavaScript, which includes texts, and with them dates. */
const ORDERS: Readonly<Record<string, (a: never, b: never) => boolean>> = {
  GT: (a, b) => a > b,
  GTE: (a, b) => a >= b,
  LT: (a, b) => a < b,
  LTE: (a, b) => a <= b,
};

function nameOf(order: string): string {
  return `ojm_${order.toLowerCase()}`;
}

/** Registers the functions that {@link withOrder} calls with the library. `any` is its type for any value. */
function registerOrders(register: typeof JmesPath.registerFunction, any: number): void {
  const signature = [{ types: [any] }, { types: [any] }];
  for (const [order, holds] of Object.entries(ORDERS)) {
    register(nameOf(order), ([a, b]) => holds(a as never, b as never), signature, { override: true });
  }
}

/** The expression with a call of a function for each `<`, `<=`, `>` and `>=`. */
function withOrder<Node>(node: Node): Node {
  if (Array.isArray(node)) return node.map((one) => withOrder<unknown>(one)) as Node;
  if (typeof node !== "object" || node === null) return node;
  const { type, name, left, right } = node as Readonly<Record<string, unknown>>;
  if (type === "Literal") return node;
  if (type === "Comparator" && Object.hasOwn(ORDERS, String(name))) {
    return { type: "Function", name: nameOf(String(name)), children: [withOrder(left), withOrder(right)] } as Node;
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withOrder<unknown>(value)])) as Node;
}
