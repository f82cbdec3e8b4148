import { type Variables, variableOf } from "../../../text/environment.js";

const variables = process.env;
/** What the variables were that have changed since the thread was at rest. */
const before = new Map<string, string | undefined>();
/** What the job file adds for the script at work. */
let given: Variables = {};

/**
 * Takes note of each variable that changes from now on. To compare all of them before each job takes longer
 * than a short job.
 */
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

/**
 * Gives a script its environment. `fresh`: it is the first one of its job, so nothing may be left of what an
 * earlier job had, or what its scripts have set in `process.env`.
 */
export function giveVariables(wanted: Variables, fresh: boolean): void {
  if (fresh) restore();
  for (const name of new Set([...Object.keys(given), ...Object.keys(wanted)])) {
    const value = variableOf(wanted, name);
    // Within a job, what a script has set stays for the next step.
    if (variableOf(given, name) === value) continue;
    note(name);
    set(name, value ?? before.get(name));
  }
  given = wanted;
}

/** Keeps what the files under `loads` have set: every job of this thread finds it. */
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
