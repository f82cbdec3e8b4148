import { randomInt } from "node:crypto";
import { isArray, looselyEqual } from "../data/compare.js";
import { fromArray2Obj, fromObj2Array } from "../data/keyed.js";
import { getPath, setPath } from "../data/path.js";
import { type Fields, type Functions, isMap } from "../data/types.js";
import { flatMap } from "../data/walk.js";
import { Rest, writeIndexes, writeQuery } from "../http/rest.js";
import { $path } from "../path/path.js";
import { $from } from "../query/from.js";

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

/** Maps with these keys first. */
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

/** One of a list, by chance. */
function oneOf(list: readonly unknown[]): unknown {
  return list[randomInt(list.length)];
}

/** Where a request goes, and who makes it: the parameters that all functions of `ow.obj.rest` end with. */
type Login = readonly [user?: unknown, pass?: unknown, timeout?: unknown, headers?: unknown, urlEncode?: unknown];

/** A request of which failures are thrown. */
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

/** The object `ow.obj`. */
export const OBJ: Functions = {
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
