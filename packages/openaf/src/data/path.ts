import { type Fields, isObject } from "./types.js";

/** The steps of a path like `a.b[0]['c.d']`. */
export function stepsOf(path: string): string[] {
  const steps: string[] = [];
  const step = /'([^']*)'|"([^"]*)"|([^.[\]'"]+)/g;
  for (const [, single, double, plain] of path.matchAll(step)) steps.push(single ?? double ?? plain ?? "");
  return steps;
}

/** The value at a path, or `undefined`. */
export function getPath(value: unknown, path: string): unknown {
  let current = value;
  for (const step of stepsOf(path)) {
    if (!isObject(current) || !Object.hasOwn(current, step)) return undefined;
    current = (current as Fields)[step];
  }
  return current;
}

/** As {@link getPath}, whatever the case of the names. */
export function getPathIgnoringCase(value: unknown, path: string): unknown {
  let current = value;
  for (const step of stepsOf(path)) {
    if (!isObject(current)) return undefined;
    const key = Object.keys(current).find((one) => one.toUpperCase() === step.toUpperCase());
    if (key === undefined) return undefined;
    current = (current as Fields)[key];
  }
  return current;
}

/** Sets the value at a path, makes what is missing on the way, and returns the object. */
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

/** Deletes what is at a path, and returns the object. */
export function unsetPath<T>(value: T, path: string): T {
  const steps = stepsOf(path);
  const last = steps.pop();
  for (const step of [...steps, last ?? ""]) guard(step);
  const within = steps.reduce<unknown>((at, step) => {
    return isObject(at) && Object.hasOwn(at, step) ? (at as Fields)[step] : undefined;
  }, value);
  if (isObject(within) && last !== undefined) delete (within as Fields)[last];
  return value;
}

const BUILT_IN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** A path from outside must not reach what all objects share: it would change them for other jobs, too. */
function guard(step: string): void {
  if (BUILT_IN.has(step)) throw new Error(`a path must not lead through "${step}"`);
}
