import { isArray, isSame } from "./compare.js";
import { type Fields, isMap, isObject } from "./types.js";

/**
 * Merges two maps. The second wins, maps within are merged, and lists are joined. Of a list and a map, each
 * item of the list is merged with the map.
 */
export function merge(a: unknown, b: unknown, alternative?: unknown, deDup?: unknown): unknown {
  if (a === undefined) return b;
  if (b === undefined) return a;
  if (isArray(b)) return b.map((item) => merge(a, item, alternative, deDup));
  if (isArray(a)) return a.map((item) => merge(item, b, alternative, deDup));
  if (!isMap(b)) return a;
  return mergeFields(isMap(a) ? a : {}, b, Boolean(deDup));
}

function mergeFields(a: Fields, b: Fields, deDup: boolean): Fields {
  const merged = { ...a };
  for (const [key, value] of Object.entries(b)) define(merged, key, mergeField(own(merged, key), value, deDup));
  return merged;
}

function mergeField(before: unknown, value: unknown, deDup: boolean): unknown {
  if (isArray(value)) {
    if (before === undefined) return [...value];
    const list = isArray(before) ? before : [before];
    return [...list, ...(deDup ? value.filter((item) => !list.some((one) => isSame(one, item))) : value)];
  }
  return isMap(value) ? mergeFields(isMap(before) ? before : {}, value, deDup) : value;
}

/** A copy: of maps and lists a deep one, of anything else the value itself. Of `null` it is `undefined`. */
export function clone<T>(value: T): T {
  return (value === null ? undefined : copyOf(value)) as T;
}

function copyOf(value: unknown): unknown {
  if (isArray(value)) return value.map(copyOf);
  if (!isMap(value)) return value;
  const copy: Fields = {};
  for (const [key, item] of Object.entries(value)) define(copy, key, copyOf(item));
  return copy;
}

/** Adds the fields of further objects to the first. With `true` before it, maps within are merged too. */
export function extend(...given: readonly unknown[]): unknown {
  const deep = given[0] === true;
  const [target = {}, ...sources] = typeof given[0] === "boolean" ? given.slice(1) : given;
  for (const source of sources) if (source !== null && typeof source === "object") extendBy(target, source, deep);
  return target;
}

function extendBy(target: unknown, source: object, deep: boolean): void {
  for (const [key, value] of Object.entries(source)) {
    if (value === undefined || value === target) continue;
    const before = own(target as Fields, key);
    if (deep && (isMap(value) || isArray(value))) {
      const within =
        isArray(value) === isArray(before) && typeof before === "object" && before ? before : isArray(value) ? [] : {};
      extendBy(within, value, true);
      define(target as Fields, key, within);
    } else define(target as Fields, key, value);
  }
}

function own(map: Fields, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function define(map: Fields, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}

/** A map of the items of a list, by one of their fields, which is removed unless `keep`. */
export function fromArray2Obj(list: readonly unknown[], key?: string, keep?: unknown): Fields {
  const map: Fields = {};
  list.forEach((item, i) => {
    const name = key !== undefined && isMap(item) ? item[key] : undefined;
    if (key === undefined || name === undefined) {
      map[`row${i}`] = clone(item);
      return;
    }
    const { [key]: own, ...rest } = clone(item) as Fields;
    map[String(name)] = keep ? { ...rest, [key]: own } : rest;
  });
  return map;
}

/** The values of a map as a list, with their keys in a field if one is named. */
export function fromObj2Array(map: Readonly<Fields>, key?: string): unknown[] {
  if (key === undefined) return Object.values(map);
  return Object.entries(map).map(([name, value]) => ({ ...(clone(value) as object), [key]: name }));
}

/** A map of values by their names. */
export function $a2m(names: readonly string[] = [], values: readonly unknown[] = []): Fields {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

/** The values of a map in the order of these names. */
export function $m2a(names: readonly string[] = [], map: Readonly<Fields> = {}): unknown[] {
  return names.map((name) => map[name]);
}

function stepsOf(path: string): string[] {
  const steps: string[] = [];
  const step = /'([^']*)'|"([^"]*)"|([^.[\]'"]+)/g;
  for (const [, single, double, plain] of path.matchAll(step)) steps.push(single ?? double ?? plain ?? "");
  return steps;
}

/** The value at a path, or `undefined`. */
export function getPath(value: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>(fieldOf, value);
}

function fieldOf(value: unknown, step: string): unknown {
  return isObject(value) ? own(value as Fields, step) : undefined;
}

/** As {@link getPath}, whatever the case of the names. */
export function getPathIgnoringCase(value: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>((current, step) => {
    const keys = isObject(current) ? Object.keys(current) : [];
    const key = keys.find((one) => one.toUpperCase() === step.toUpperCase());
    return key === undefined ? undefined : fieldOf(current, key);
  }, value);
}

/** Sets the value at a path, creates missing maps on the way, and returns the object. */
export function setPath<T>(value: T, path: string, set: unknown): T {
  const steps = stepsOf(path);
  const last = steps.pop();
  if (!isObject(value) || last === undefined) return value;
  let current = value as Fields;
  steps.forEach((step, i) => {
    guard(step);
    if (!Object.hasOwn(current, step) || !isObject(current[step]))
      current[step] = /^\d+$/.test(steps[i + 1] ?? last) ? [] : {};
    current = current[step] as Fields;
  });
  guard(last);
  current[last] = set;
  return value;
}

/** Deletes the value at a path, and returns the object. */
export function unsetPath<T>(value: T, path: string): T {
  const steps = stepsOf(path);
  const last = steps.pop();
  for (const step of [...steps, last ?? ""]) guard(step);
  const within = steps.reduce<unknown>(fieldOf, value);
  if (isObject(within) && last !== undefined) delete (within as Fields)[last];
  return value;
}

const BUILT_IN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** A path must not reach the prototypes that all objects share: that would change other jobs too. */
function guard(step: string): void {
  if (BUILT_IN.has(step)) throw new Error(`a path must not lead through "${step}"`);
}

type Visitor = (key: string, value: unknown, path: string, parent: unknown) => void;

/**
 * Calls a function for each field of maps and lists, at any depth. Paths begin with a dot, as in OpenAF:
 * `.a.b[0]`.
 */
export function traverse(value: unknown, visit: Visitor): void {
  const open = [{ value, path: "" }];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const { value: parent, path } = one;
    if (parent === null || typeof parent !== "object") continue;
    for (const key of Object.keys(parent)) {
      const item = (parent as Fields)[key];
      if (isArray(item) || isMap(item)) open.push({ value: item, path: path + step(key) });
      visit(key, item, path, parent);
    }
  }
}

function step(key: string): string {
  return Number.isNaN(Number(key)) ? `.${key}` : `[${key}]`;
}

/** The values of all fields whose key matches, by their path. */
export function searchKeys(value: unknown, key: string, useCase?: unknown, each?: Visitor): Fields {
  return search(value, (own) => matcher(key, useCase).test(own), each);
}

/** The values that match as text, by their path. */
export function searchValues(value: unknown, text: string, useCase?: unknown, each?: Visitor): Fields {
  return search(value, (_, own) => matcher(text, useCase).test(String(own)), each);
}

function matcher(pattern: string, useCase: unknown): RegExp {
  return new RegExp(pattern, useCase ? "" : "i");
}

function search(value: unknown, matches: (key: string, value: unknown) => boolean, each?: Visitor): Fields {
  const found: Fields = {};
  traverse(value, (key, item, path, parent) => {
    if (!matches(key, item)) return;
    found[path + (Number.isNaN(Number(key)) ? `.${key}` : `["${key}"]`)] =
      typeof item === "object" ? clone(item) : item;
    each?.(key, item, path, parent);
  });
  return found;
}

/** All fields as a list of `{ key, val }`, or with `true` as a list of maps with one field each. */
export function flatten(value: unknown, asMaps?: unknown): Fields[] {
  const list: Fields[] = [];
  traverse(value, (key, item, path) => {
    const name = path + (path === "" ? "" : ".") + key;
    list.push(asMaps ? { [name]: clone(item) } : { key: name, val: clone(item) });
  });
  return list;
}

/** Of each item the value at one path, or a map of the values at several paths. At most `limit` items. */
export function mapArray(list: readonly unknown[], paths: string | readonly string[], limit?: number): unknown[] {
  const all = [paths].flat() as string[];
  const read = (item: unknown): unknown =>
    all.length === 1 ? getPath(item, all[0] ?? "") : Object.fromEntries(all.map((path) => [path, getPath(item, path)]));
  return list.slice(0, limit ?? list.length).map(read);
}

/** The value at a path of a map or list, or the path itself if it leads nowhere. */
export function objOrStr(value: unknown, path: string): unknown {
  return isMap(value) || isArray(value) ? (getPath(value, path) ?? path) : path;
}

/** A map, or each map of a list, with the values within it by their paths: `{ "a.b": 1 }`. */
export function flatMap(value: unknown, separator: string = "."): unknown {
  const flat = (one: unknown): Fields => {
    const fields: Fields = {};
    traverse(one, (key, item, path) => {
      const steps = [...path.split(/[.[\]]+/).filter(Boolean), key];
      if (!isMap(item) && !isArray(item)) fields[steps.join(separator)] = item;
    });
    return fields;
  };
  if (!isArray(value)) return flat(value);
  const rows = value.map(flat);
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return rows.map((row) => Object.fromEntries(keys.map((key) => [key, row[key]])));
}

/** Splits a text at a separator. A backslash before a separator makes it a part of the text. */
export function splitBySeparator(text: unknown, separator: string = ";"): string[] {
  if (text === undefined || text === null) return [];
  const parts: string[] = [];
  let part = "";
  const all = String(text);
  for (let i = 0; i < all.length; i++) {
    if (all[i] === "\\" && all.startsWith(separator, i + 1)) {
      part += separator;
      i += separator.length;
    } else if (all.startsWith(separator, i)) {
      parts.push(part);
      part = "";
      i += separator.length - 1;
    } else part += all[i];
  }
  return [...parts, part];
}

/**
 * Splits a text at a pattern, but not within pairs like `[["'", "'"], ["(", ")"]]`, which are removed unless
 * `keep`.
 */
export function splitBySepWithEnc(
  text: string,
  separator: string = "\\s+",
  enclosures: readonly (readonly [string, string])[] = [],
  keep?: unknown,
): string[] {
  if (text === "") return [];
  const at = new RegExp(separator, "y");
  const parts: string[] = [];
  let own = "";
  for (let i = 0; i < text.length; ) {
    const pair = enclosures.find(([start]) => text.startsWith(start, i));
    const end = pair === undefined ? -1 : text.indexOf(pair[1], i + pair[0].length);
    at.lastIndex = i;
    const found = at.exec(text)?.[0] ?? "";
    if (pair !== undefined && end >= 0) {
      own += text.slice(i, end + pair[1].length);
      i = end + pair[1].length;
    } else if (found !== "") {
      parts.push(own);
      own = "";
      i += found.length;
    } else own += text[i++];
  }
  const bare = (part: string): string => {
    const pair = enclosures.find(([start, end]) => part.length > 1 && part.startsWith(start) && part.endsWith(end));
    return pair === undefined || keep ? part : part.slice(pair[0].length, -pair[1].length);
  };
  return [...parts, own].map((part) => bare(part.trim()));
}

type KeyValueOptions = Readonly<Partial<Record<"sep" | "ksep" | "esc" | "qto", string>>> & { readonly nul?: unknown };

/** Reads `a=1 b="two words"` as a map. `nul`: the value of a key that has none. */
export function splitKVBySeparator(text: string, options: KeyValueOptions = {}): Fields {
  const { sep = " ", ksep = "=", esc = "\\", qto = '"', nul = null } = options;
  const map: Fields = {};
  let key: string | undefined;
  let buffer = "";
  let quoted = false;
  const finish = (): void => {
    if (key !== undefined) map[key] = buffer;
    else if (buffer !== "") map[buffer] = nul;
    [key, buffer] = [undefined, ""];
  };
  const all = text.trimStart();
  for (let i = 0; i < all.length; i++) {
    const char = all[i] ?? "";
    const next = all[i + 1];
    if (char === esc && next !== undefined && [esc, sep, qto, "'"].includes(next)) buffer += all[++i];
    else if (char === qto) quoted = !quoted;
    else if (!quoted && char === sep) finish();
    else if (!quoted && char === ksep && key === undefined) [key, buffer] = [buffer, ""];
    else buffer += char;
  }
  finish();
  return map;
}
