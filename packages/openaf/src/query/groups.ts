import { isArray } from "../data/compare.js";
import { getPath } from "../data/path.js";

type Items = readonly unknown[];

/** The items by the text of a field. */
export function group(items: Items, field?: string): Record<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const item of items) {
    const key = String(field === undefined ? item : getPath(item, field));
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return Object.fromEntries(groups);
}

/** Groups within groups, by fields with commas between them. */
export function groupBy(items: Items, fields: string): Record<string, unknown> {
  const [field, ...rest] = fields.split(",");
  const groups = group(items, field);
  if (rest.length === 0) return groups;
  return Object.fromEntries(Object.entries(groups).map(([key, own]) => [key, groupBy(own, rest.join(","))]));
}

/** A group, as the guide to oJob Manager has it. */
export interface Group {
  readonly key: string;
  readonly items: unknown[];
}

/**
 * Groups by their keys, with the `select` that the guide to oJob Manager calls; only OpenAF itself lacks
 * it.
 */
export type Groups = Record<string, unknown[]> & { select<T>(selector: (group: Group) => T): T[] };

/** Adds `select` where no group has that name. It is not among the keys. */
export function selectable(groups: Record<string, unknown>): Groups {
  const select = (selector: (group: Group) => unknown): unknown[] =>
    Object.entries(groups).map(([key, items]) => selector({ key, items: items as unknown[] }));
  if (!Object.hasOwn(groups, "select")) Object.defineProperty(groups, "select", { value: select });
  return groups as Groups;
}

/** One map for each group: its keys, and in the field `result` what a function makes of its items. */
export function resultsBy(
  items: Items,
  fields: string,
  result: { readonly field: string; readonly of: (items: unknown[]) => unknown; readonly names?: string | undefined },
): Record<string, unknown>[] {
  const names = (result.names ?? fields).split(",");
  const rows = (groups: unknown, keys: Record<string, unknown>, depth: number): Record<string, unknown>[] => {
    if (isArray(groups)) return [{ ...keys, [result.field]: result.of(groups) }];
    return Object.entries(groups as object).flatMap(([key, own]) =>
      rows(own, { ...keys, [names[depth] ?? ""]: key }, depth + 1),
    );
  };
  return rows(groupBy(items, fields), {}, 0);
}

/** The numbers of a field, or the items themselves if they are numbers, with their items. */
export function numbersOf(items: Items, field?: string): { readonly item: unknown; readonly number: number }[] {
  return items
    .map((item) => ({ item, value: field === undefined ? item : getPath(item, field) }))
    .filter(({ value }) => value !== undefined && value !== null && value !== "" && Number.isFinite(Number(value)))
    .map(({ item, value }) => ({ item, number: Number(value) }));
}

/** The item with the greatest number, or with the least. */
export function extreme(items: Items, field: string | undefined, sign: 1 | -1): unknown {
  let best: { readonly item: unknown; readonly number: number } | undefined;
  for (const one of numbersOf(items, field))
    if (best === undefined || one.number * sign > best.number * sign) best = one;
  return best?.item;
}

/** The sum of a field, or of its differences to the field `minus`. */
export function sumOf(items: Items, field?: string, minus?: string): number {
  const both = withBoth(items, field, minus);
  const subtracted = minus === undefined ? 0 : sumOf(both, minus);
  return numbersOf(both, field).reduce((sum, { number }) => sum + number, 0) - subtracted;
}

/** The mean of a field, or of its differences to the field `minus`; `undefined` without numbers. */
export function averageOf(items: Items, field?: string, minus?: string): number | undefined {
  const both = withBoth(items, field, minus);
  const { length } = numbersOf(both, field);
  return length === 0 ? undefined : sumOf(both, field, minus) / length;
}

/** The items that have numbers in both fields. */
function withBoth(items: Items, field?: string, minus?: string): Items {
  if (minus === undefined) return items;
  return numbersOf(
    numbersOf(items, field).map(({ item }) => item),
    minus,
  ).map(({ item }) => item);
}
