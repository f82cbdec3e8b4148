import { clone } from "./merge.js";
import { type Fields, isMap } from "./types.js";

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

/** A map of a list: {@link fromArray2Obj}. */
export function $a4m(list: readonly unknown[], key?: string, keep?: unknown): Fields {
  return fromArray2Obj(list, key, keep);
}

/** A list of a map: {@link fromObj2Array}. */
export function $m4a(map: Readonly<Fields>, key?: string): unknown[] {
  return fromObj2Array(map, key);
}
