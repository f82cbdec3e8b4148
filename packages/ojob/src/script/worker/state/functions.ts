/** A function in the arguments of a script, and its path in them. */
interface Kept {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Functions cannot leave the thread: here they wait for the next step of their job. */
let kept: readonly Kept[] = [];

/** Keeps the functions that a script leaves in its arguments. */
export function keepFunctions(args: unknown): void {
  kept = functionsIn(args, [], new Set());
}

/** Forgets them: the arguments hold none. */
export function keepNone(): void {
  kept = [];
}

/**
 * Gives a script the functions that the step before has left, where nothing else has come in their place.
 * `fresh`: it is the first script of its job, and the functions are of another one.
 */
export function giveFunctions(args: object, fresh: boolean): void {
  if (fresh) keepNone();
  for (const { path, value } of kept) {
    const parent = path.slice(0, -1).reduce<unknown>(fieldOf, args);
    const name = path.at(-1) ?? "";
    if (isObject(parent) && (fieldOf(parent, name) ?? undefined) === undefined) {
      Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true });
    }
  }
}

function functionsIn(value: unknown, path: readonly string[], seen: Set<object>): Kept[] {
  if (typeof value === "function") return [{ path, value }];
  if (!isObject(value) || seen.has(value)) return [];
  seen.add(value);
  return Object.entries(value).flatMap(([key, item]) => functionsIn(item, [...path, key], seen));
}

function fieldOf(map: unknown, name: string): unknown {
  return isObject(map) && Object.hasOwn(map, name) ? map[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
