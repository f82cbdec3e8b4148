import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { compile, MODULE_PARAMETERS } from "../compile.js";
import { failureText, toFailure } from "../failure.js";
import type { NamedModule, NamedPackage, Setup } from "../protocol.js";
import { post } from "./bridge.js";
import { rememberGlobals } from "./globals.js";
import { giveVariables, keepVariables } from "./state.js";

const known = new Map<string, NamedModule>();
const loaded = new Map<string, { readonly exports: unknown }>();

/** The exports of a module of the job file. The module runs once in each thread. */
function requireModule(name: string): unknown {
  const code = known.get(name);
  if (code === undefined) throw new Error(`there is no module "${name}"`);
  const there = loaded.get(name);
  if (there !== undefined) return there.exports;
  const module = { exports: {} };
  // Register before the module runs: two modules that require each other get the exports that exist so far.
  loaded.set(name, module);
  try {
    compile(code, undefined, MODULE_PARAMETERS).call(module.exports, module, module.exports, requireOf(code.file));
  } catch (error) {
    loaded.delete(name);
    throw error;
  }
  return module.exports;
}

/** The `require` of a script: modules of the job file win, and a name may be a file beside it. */
export function requireOf(file: string): NodeJS.Require {
  // The jobs that come with ojm are in a file without a path.
  const path = resolve(file);
  const own = createRequire(path);
  const load = (name: string): unknown => {
    if (known.has(name)) return requireModule(name);
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

/** The function that a module exports for a job: itself, one of the job's name, or `exec`. */
export function exportedFunction(file: string, job: unknown): (...parameters: unknown[]) => unknown {
  const module = requireOf(file)(file) as Record<string, unknown>;
  const found = [module, module[String(job)], module["exec"], module["default"]].find(
    (one) => typeof one === "function",
  );
  if (found === undefined) throw new Error(`${file} exports no function "${String(job)}", and none named exec`);
  return found as (...parameters: unknown[]) => unknown;
}

const scope = globalThis as Record<string, unknown>;

/** Loads the files, modules and `init` of a job file for scripts, and reports the result. */
export async function load({ loads, modules, init, variables = {} }: Setup): Promise<void> {
  giveVariables(variables, true);
  if (init !== undefined) scope["init"] = init;
  for (const module of modules) known.set(module.name, module);
  for (const one of loads) {
    try {
      if (typeof one !== "string") await loadPackage(one);
      else if (known.has(one)) Object.assign(scope, requireModule(one));
      else await loadFile(one);
    } catch (error) {
      const failure = toFailure(error);
      const name = typeof one === "string" ? one : one.name;
      post({ type: "loaded", failure: { ...failure, message: `cannot load ${name}: ${failureText(failure)}` } });
      return;
    }
  }
  keepVariables();
  // Every thread defines these globals itself, so threads do not exchange them.
  rememberGlobals();
  post({ type: "loaded" });
}

/** Defines the exports of a package as globals. Those of a CommonJS package are in `default`. */
async function loadPackage({ entry }: NamedPackage): Promise<void> {
  const { default: standard, "module.exports": _, ...names } = await modulesOf(entry);
  Object.assign(scope, standard, names);
}

async function modulesOf(entry: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(entry).href)) as Record<string, unknown>;
  } catch (error) {
    // A loader for an entry in TypeScript may support only `require`.
    if ((error as NodeJS.ErrnoException).code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    return createRequire(entry)(entry) as Record<string, unknown>;
  }
}

async function loadFile(file: string): Promise<void> {
  const code = readFileSync(file, "utf8");
  if (file.endsWith(".mjs") || /^\s*(?:export|import)\b(?!\s*\()/m.test(code)) {
    Object.assign(scope, await import(pathToFileURL(file).href));
    return;
  }
  const module = { exports: {} as Record<string, unknown> };
  const before = ["require", "module", "exports"].map((name) => [name, scope[name]] as const);
  Object.assign(scope, { require: createRequire(file), module, exports: module.exports });
  // Run the file as a script, not as a module: its functions become globals without an export.
  vm.runInThisContext(code, { filename: file });
  for (const [name, value] of before) if (name !== "require") scope[name] = value;
  Object.assign(scope, module.exports);
}
