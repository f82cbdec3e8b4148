/** The value at a path like `order.items.0.id`. `undefined` if the path leads nowhere. */
export function valueAt(data: unknown, path: string): unknown {
  let value: unknown = data;
  for (const part of path.replace(/\[(\d+)\]/g, ".$1").split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}
