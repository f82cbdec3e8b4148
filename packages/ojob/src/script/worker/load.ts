import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { failureText, toFailure } from "../failure.js";
import type { NamedPackage, Setup } from "../protocol.js";
import { post } from "./bridge.js";
import { rememberGlobals } from "./globals.js";
import { defineModules, isModule, requireModule } from "./modules.js";
import { giveVariables, keepVariables } from "./state/environment.js";

const scope = globalThis as Record<string, unknown>;

/** Makes the files, modules and `init` of a job file known to scripts, and reports the result. */
export async function load({ loads, modules, init, variables = {} }: Setup): Promise<void> {
  giveVariables(variables, true);
  if (init !== undefined) scope["init"] = init;
  defineModules(modules);
  for (const one of loads) {
    try {
      await loadOne(one);
    } catch (error) {
      const failure = toFailure(error);
      const name = typeof one === "string" ? one : one.name;
      post({ type: "loaded", failure: { ...failure, message: `cannot load ${name}: ${failureText(failure)}` } });
      return;
    }
  }
  keepVariables();
  // Every thread defines these globals itself, so threads need not exchange them.
  rememberGlobals();
  post({ type: "loaded" });
}

async function loadOne(one: string | NamedPackage): Promise<void> {
  if (typeof one !== "string") await loadPackage(one);
  else if (isModule(one)) Object.assign(scope, requireModule(one));
  else await loadFile(one);
}

/** Makes the exports of a package global; of one in CommonJS, those are in `default`. */
async function loadPackage({ entry }: NamedPackage): Promise<void> {
  const { default: standard, "module.exports": _, ...names } = await modulesOf(entry);
  Object.assign(scope, standard, names);
}

async function modulesOf(entry: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(entry).href)) as Record<string, unknown>;
  } catch (error) {
    // An entry in TypeScript: a loader of it may know `require` only.
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
