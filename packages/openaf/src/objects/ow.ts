import { randomInt } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import { BYTES, genPass } from "../crypto.js";
import { isArray, looselyEqual } from "../data/compare.js";
import { flatMap, fromArray2Obj, fromObj2Array, getPath, setPath } from "../data/maps.js";
import { type Fields, type Functions, isMap, toBoolean } from "../data/types.js";
import { TIMES } from "../format/dates.js";
import { checkVersionSpec, compareSemantic, compareVersion, NUMBERS } from "../format/numbers.js";
import { escapeHTML, SIDE_LINES, TEXT, withSideLine } from "../format/text.js";
import { Rest, writeIndexes, writeQuery } from "../http/rest.js";
import { isHost, isURL, NET } from "../net/net.js";
import { $path } from "../path/path.js";
import { $output } from "../print/output.js";
import { $from } from "../query/from.js";
import { SYSTEM } from "../shell/system.js";
import { toSLON } from "../text/slon.js";
import { addHelpers, delHelper, parse } from "../text/texts.js";
import { thread } from "../thread.js";

function escapeRE(text: unknown): string {
  return String(text).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

const FORMAT: Functions = {
  ...NUMBERS,
  ...TIMES,
  ...BYTES,
  ...SYSTEM,
  ...SIDE_LINES,
  string: { ...TEXT, genPass },
  withSideLine,
  escapeHTML,
  escapeRE,
  escapeString: (text: string, except: string = ""): string =>
    text.replace(/[.$?*|{}()[\]\\/+^]/g, (char) => (except.includes(char) ? char : `\\${char}`)),
  compareVersion,
  checkVersionSpec,
  sortSemanticVersions: (list: string[]): string[] => list.sort(compareSemantic),
  isIPv4: (text: unknown): boolean => isIPv4(String(text)),
  isIPv6: (text: unknown): boolean => isIPv6(String(text)),
  isHost,
  testPort: NET["testPort"],
  testPortLatency: NET["testPortLatency"],
  testURLLatency: NET["testURLLatency"],
  isEmail: (text: unknown): boolean => typeof text === "string" && /^[\w.+-]*[\w.-]@(\w[\w-]*\.)+\w+\w$/.test(text),
  isURL,
  toSLON,
  toCSLON: toSLON,
  toBoolean,
  now: (): number => Date.now(),
  bool: TEXT["bool"],
};

/** The maps of a list with these values; with `patterns`, texts are patterns, or numbers such as `>=5`. */
export function searchArray(
  list: readonly unknown[],
  wanted: Fields,
  patterns?: unknown,
  ignoreCase?: unknown,
): unknown[] {
  const holds = (value: unknown, want: unknown): boolean => {
    if (!patterns || typeof want !== "string") return looselyEqual(value, want);
    const [, sign, limit] = /^([<>]=?)(\d+)/.exec(want) ?? [];
    if (sign === undefined) return new RegExp(want, ignoreCase ? "i" : "").test(String(value));
    const difference = Number(value) - Number(limit);
    return (sign.startsWith(">") ? difference > 0 : difference < 0) || (sign.endsWith("=") && difference === 0);
  };
  return list.filter((item) => Object.entries(wanted).every(([path, want]) => holds(getPath(item, path), want)));
}

function reorderArrayMap(keys: readonly string[], value: unknown, withoutMissing?: unknown): Fields[] {
  const rows = (isMap(value) ? [value] : value) as Fields[];
  return rows.map((row) => {
    const ordered = [...keys, ...Object.keys(row).filter((key) => !keys.includes(key))];
    const kept = withoutMissing ? ordered.filter((key) => row[key] !== undefined) : ordered;
    return Object.fromEntries(kept.map((key) => [key, row[key]]));
  });
}

/** The part of a list or map that a map describes: by `path`, or as a query. */
function filter(value: unknown, by: Fields = {}): unknown {
  if (!isArray(value) && !isMap(value)) throw "Object provided to filter is not an array or a map.";
  return typeof by["path"] === "string" ? $path(value, by["path"]) : $from(value).query(by);
}

function oneOf(list: readonly unknown[]): unknown {
  return list[randomInt(list.length)];
}

/** The last parameters of all functions of `ow.obj.rest`: the credentials and the options of a request. */
type Login = readonly [user?: unknown, pass?: unknown, timeout?: unknown, headers?: unknown, urlEncode?: unknown];

function strict([user, pass, timeout, headers, urlEncode]: Login): Rest {
  return new Rest({
    throwExceptions: true,
    login: user,
    pass,
    urlEncode: Boolean(urlEncode),
    ...(typeof timeout === "number" && { timeout }),
    ...(isMap(headers) && { requestHeaders: headers }),
  });
}

const REST: Functions = {
  jsonGet: (url: string, index?: unknown, ...login: Login): unknown => strict(login).get(url, index),
  jsonRemove: (url: string, index?: unknown, ...login: Login): unknown => strict(login).delete(url, index),
  jsonCreate: (url: string, index?: unknown, data?: unknown, ...login: Login): unknown =>
    strict(login).post(url, data, index),
  jsonSet: (url: string, index?: unknown, data?: unknown, ...login: Login): unknown =>
    strict(login).put(url, data, index),
  jsonPatch: (url: string, index?: unknown, data?: unknown, ...login: Login): unknown =>
    strict(login).patch(url, data, index),
  writeIndexes,
  writeQuery,
};

const OBJ: Functions = {
  getPath,
  setPath,
  fromArray2Obj,
  fromObj2Array,
  flatMap,
  searchArray,
  filter,
  reorderArrayMap,
  oneOf,
  randomRange: (min: number, max: number): number => randomInt(min, max + 1),
  filterKeys: (keys: readonly string[], row: Fields): Fields =>
    Object.fromEntries(keys.filter((key) => key in row).map((key) => [key, row[key]])),
  rest: REST,
};

const template: Functions = {
  parse,
  // A compiled template is its text, because this package does not need more.
  compile: (text: unknown): string => String(text),
  execCompiled:
    (compiled: unknown): ((data?: unknown) => string) =>
    (data) =>
      parse(compiled, data),
  addHelper: (name: string, helper: unknown): void => addHelpers("", { [name]: helper }),
  addHelpers,
  delHelper,
  addFormatHelpers: (): void => addHelpers("owFormat_", FORMAT),
  // The existing helpers are always available.
  addOpenAFHelpers: (): void => {},
};

/** An item of a todo: the name of a job, or a map with its name and its args. */
function itemOf(todo: unknown): { readonly name: string; readonly args: Fields } {
  const { name, job = name, args = {} } = isMap(todo) ? todo : { name: todo };
  return { name: String(name ?? job), args: args as Fields };
}

/** Runs a job to its end, and returns its args. */
export function oJobRunJob(job: unknown, args: Fields = {}): unknown {
  const item = itemOf(job);
  return thread.$job(item.name, { ...item.args, ...args });
}

const oJob: Functions = {
  output: $output,
  runJob: oJobRunJob,
  add2Todo(todo: unknown): unknown {
    const { name, args } = itemOf(todo);
    return thread.oJobManagerLaunchJob(name, args);
  },
};

/** The object `ow`. Its parts are always present: loading one only returns it. */
export const ow: Functions = {
  format: FORMAT,
  obj: OBJ,
  net: NET,
  template,
  oJob,
  loadFormat: (): Functions => FORMAT,
  loadObj: (): Functions => OBJ,
  loadNet: (): Functions => NET,
  loadTemplate: (): Functions => template,
  loadOJob: (): Functions => oJob,
};
