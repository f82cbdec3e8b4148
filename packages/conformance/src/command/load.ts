import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BackendType } from "@ojm/core/backend";
import { harnessOf } from "../harness/from-type.js";
import type { Harness } from "../harness/harness.js";

/**
 * Loads the harness that a module exports as `harness` or by default. If the module exports a backend
 * instead, makes a harness for it, with `args`. `name` is a path, or a package as resolved from the current
 * folder.
 */
export async function loadHarness(name: string, args: Readonly<Record<string, unknown>>): Promise<Harness> {
  const module = (await import(locate(name))) as Record<string, unknown>;
  const { harness, backend, default: standard } = module;
  for (const candidate of [harness, standard]) if (isHarness(candidate)) return candidate;
  for (const candidate of [backend, standard]) if (isType(candidate)) return harnessOf(candidate, args);
  throw new Error(`${name} exports neither a harness nor a backend`);
}

function locate(name: string): string {
  const path = resolve(name);
  if (existsSync(path)) return pathToFileURL(path).href;
  if (name.startsWith(".") || name.startsWith("/")) throw new Error(`there is no file ${path}`);
  return pathToFileURL(createRequire(join(process.cwd(), "-")).resolve(name)).href;
}

function isHarness(value: unknown): value is Harness {
  return isObject(value) && typeof value["name"] === "string" && typeof value["open"] === "function";
}

function isType(value: unknown): value is BackendType {
  return isObject(value) && typeof value["type"] === "string" && typeof value["open"] === "function";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
