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

/** The sum of a field. */
export function sumOf(items: Items, field?: string): number {
  return numbersOf(items, field).reduce((sum, { number }) => sum + number, 0);
}

/** The mean of a field; `undefined` without numbers. */
export function averageOf(items: Items, field?: string): number | undefined {
  const { length } = numbersOf(items, field);
  return length === 0 ? undefined : sumOf(items, field) / length;
}
