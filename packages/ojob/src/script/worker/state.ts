import { type Variables, variableOf } from "../../text/environment.js";

const variables = process.env;
/** The earlier values of the variables that have changed since the thread was at rest. */
const before = new Map<string, string | undefined>();
let given: Variables = {};

/** Records each variable that changes from now on: to compare all takes longer than a short job. */
export function watchVariables(): void {
  process.env = new Proxy(variables, {
    set: (target, name, value) => note(name) && Reflect.set(target, name, value),
    deleteProperty: (target, name) => note(name) && Reflect.deleteProperty(target, name),
    defineProperty: (target, name, descriptor) => note(name) && Reflect.defineProperty(target, name, descriptor),
  });
  const { loadEnvFile } = process;
  // Node reads the file itself, past the proxy.
  process.loadEnvFile = (...path) => {
    const known = { ...variables };
    loadEnvFile(...path);
    for (const name of Object.keys(variables)) if (!before.has(name)) before.set(name, variableOf(known, name));
  };
}

/** Gives a script its environment. `fresh`: the first of its job, so what an earlier job set is removed. */
export function giveVariables(wanted: Variables, fresh: boolean): void {
  if (fresh) restore();
  for (const name of new Set([...Object.keys(given), ...Object.keys(wanted)])) {
    const value = variableOf(wanted, name);
    // Within a job, the variables that a script has set stay for the next step.
    if (variableOf(given, name) === value) continue;
    note(name);
    set(name, value ?? before.get(name));
  }
  given = wanted;
}

/** Keeps the variables that the files under `loads` have set: every job of this thread sees them. */
export function keepVariables(): void {
  for (const name of before.keys()) {
    if (!Object.hasOwn(given, name) || variables[name] !== given[name]) before.delete(name);
  }
}

function note(name: string | symbol): boolean {
  if (typeof name === "string" && !before.has(name)) before.set(name, variables[name]);
  return true;
}

function restore(): void {
  for (const [name, value] of before) set(name, value);
  before.clear();
  given = {};
}

function set(name: string, value: string | undefined): void {
  if (value === undefined) delete variables[name];
  else variables[name] = value;
}

/** A function in the arguments of a script, and its path in them. */
interface StoredFunction {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Functions cannot leave the thread: they are stored here for the next step of their job. */
let stored: readonly StoredFunction[] = [];

export function storeFunctions(args: unknown): void {
  stored = functionsIn(args, [], new Set());
}

export function forgetFunctions(): void {
  stored = [];
}

/** Gives a script the functions that the previous step left. `fresh`: they belong to another job. */
export function giveFunctions(args: object, fresh: boolean): void {
  if (fresh) forgetFunctions();
  for (const { path, value } of stored) {
    const parent = path.slice(0, -1).reduce<unknown>(fieldOf, args);
    const name = path.at(-1) ?? "";
    if (isObject(parent) && (fieldOf(parent, name) ?? undefined) === undefined) {
      Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true });
    }
  }
}

function functionsIn(value: unknown, path: readonly string[], seen: Set<object>): StoredFunction[] {
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

let folder: string | undefined;

export function setFolder(path: unknown): void {
  folder = typeof path === "string" ? path : undefined;
}

/** The folder of the current job: its `typeArgs.pwd`, or that of the process. A thread has none itself. */
export function jobFolder(): string {
  return folder ?? process.cwd();
}

let ahead = 0;

/** Sets how far the clock of scripts is ahead, in ms. It is 0 except in simulations. */
export function setClock(ms: number): void {
  ahead = ms;
}

export function now(): number {
  return Date.now() + ahead;
}
