import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { compile, MODULE_PARAMETERS } from "../compile.js";
import type { NamedModule } from "../protocol.js";

interface Module {
  readonly exports: unknown;
}

const known = new Map<string, NamedModule>();
const loaded = new Map<string, Module>();

/** Makes the modules of a job file known by their names. */
export function defineModules(modules: readonly NamedModule[]): void {
  for (const module of modules) known.set(module.name, module);
}

/** Whether the job file has a module of this name. */
export function isModule(name: string): boolean {
  return known.has(name);
}

/** The exports of a module of the job file. The module runs once in each thread. */
export function requireModule(name: string): unknown {
  const code = known.get(name);
  if (code === undefined) throw new Error(`there is no module "${name}"`);
  const there = loaded.get(name);
  if (there !== undefined) return there.exports;
  const module = { exports: {} };
  // Register before the module runs: two modules that require each other get what exists so far.
  loaded.set(name, module);
  try {
    compile(code, undefined, MODULE_PARAMETERS).call(module.exports, module, module.exports, requireOf(code.file));
  } catch (error) {
    loaded.delete(name);
    throw error;
  }
  return module.exports;
}

/**
 * The `require` of a script in that file. Modules of the job file win over packages of the same name. As in
 * OpenAF, a name may be a file: `tests.js`, beside the job file, where there is no such package.
 */
export function requireOf(file: string): NodeJS.Require {
  // The jobs that come with ojm are in a file that has only a name.
  const path = resolve(file);
  const own = createRequire(path);
  const load = (name: string): unknown => {
    if (isModule(name)) return requireModule(name);
    const beside = join(dirname(path), name);
    return own(/\.[cm]?js$/.test(name) && !isFound(own, name) && existsSync(beside) ? beside : name);
  };
  return Object.assign(load, own);
}

function isFound(own: NodeJS.Require, name: string): boolean {
  try {
    own.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The function that a module exports for a job: the export itself, a function of the job's name, or `exec`.
 */
export function exportedFunction(file: string, job: unknown): (...parameters: unknown[]) => unknown {
  const module = requireOf(file)(file) as Record<string, unknown>;
  const found = [module, module[String(job)], module["exec"], module["default"]].find(
    (one) => typeof one === "function",
  );
  if (found === undefined) throw new Error(`${file} exports no function "${String(job)}", and none named exec`);
  return found as (...parameters: unknown[]) => unknown;
}
