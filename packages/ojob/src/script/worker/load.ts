import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { failureText, toFailure } from "../failure.js";
import { post } from "./bridge.js";
import { rememberGlobals } from "./globals.js";

const scope = globalThis as Record<string, unknown>;

/** Loads JavaScript files whose functions scripts may call, and tells how that went. */
export async function loadFiles(files: readonly string[]): Promise<void> {
  for (const file of files) {
    try {
      await loadFile(file);
    } catch (error) {
      const failure = toFailure(error);
      post({ type: "loaded", failure: { ...failure, message: `cannot load ${file}: ${failureText(failure)}` } });
      return;
    }
  }
  // What they define is there in every thread: it need not be carried between them.
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
  // Run as a script, not as a module: its functions become globals without being exported.
  vm.runInThisContext(code, { filename: file });
  for (const [name, value] of before) if (name !== "require") scope[name] = value;
  Object.assign(scope, module.exports);
}
