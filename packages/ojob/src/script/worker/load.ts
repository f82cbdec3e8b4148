import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { failureText, toFailure } from "../failure.js";
import type { Setup } from "../protocol.js";
import { post } from "./bridge.js";
import { rememberGlobals } from "./globals.js";
import { defineModules, isModule, requireModule } from "./modules.js";

const scope = globalThis as Record<string, unknown>;

/** Makes the files, modules and `init` of a job file known to scripts, and reports the result. */
export async function load({ loads, modules, init }: Setup): Promise<void> {
  if (init !== undefined) scope["init"] = init;
  defineModules(modules);
  for (const one of loads) {
    try {
      await (isModule(one) ? Object.assign(scope, requireModule(one)) : loadFile(one));
    } catch (error) {
      const failure = toFailure(error);
      post({ type: "loaded", failure: { ...failure, message: `cannot load ${one}: ${failureText(failure)}` } });
      return;
    }
  }
  // Every thread defines these globals itself, so threads need not exchange them.
  rememberGlobals();
  post({ type: "loaded" });
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
