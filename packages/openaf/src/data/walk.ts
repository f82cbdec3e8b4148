import { isArray } from "./compare.js";
import { clone } from "./merge.js";
import { getPath } from "./path.js";
import { type Fields, isMap } from "./types.js";

type Visitor = (key: string, value: unknown, path: string, parent: unknown) => void;

/**
 * Calls a function for each field of maps and lists, at whatever depth. Paths begin with a dot, as in OpenAF:
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

/** The value at a path of a map or list, or the path itself where there is none. */
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
