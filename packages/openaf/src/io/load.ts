import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import vm from "node:vm";

const scope = globalThis as unknown as Record<string, unknown>;
const loaded = new Set<string>();

/** The file that a script names, relative to the working directory, else to the folder of its job. */
function find(file: unknown): string {
  const name = String(file);
  const { pwd = "." } = (scope["__ojm"] ?? {}) as { readonly pwd?: string };
  const found = [resolve(name), resolve(pwd, name)].find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`load(${JSON.stringify(name)}): there is no such file. Libraries of OpenAF cannot be loaded`);
  return found;
}

/** Runs a JavaScript file. Its declarations and exports become those of the script. */
export function load(file: unknown): void {
  const path = find(file);
  const module = { exports: {} as Record<string, unknown> };
  const before = ["module", "exports", "require"].map((name) => [name, scope[name]] as const);
  Object.assign(scope, { module, exports: module.exports, require: createRequire(path) });
  try {
    vm.runInThisContext(readFileSync(path, "utf8"), { filename: path });
    Object.assign(scope, module.exports);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete scope[name];
      else scope[name] = value;
    }
  }
  loaded.add(path);
}

/** As {@link load}, once for each file. */
export function loadLib(file: unknown): void {
  if (!loaded.has(find(file))) load(file);
}
