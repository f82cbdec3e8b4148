import { createRequire } from "node:module";
import type { compile, registerFunction, TreeInterpreter } from "@jmespath-community/jmespath";
import type { Args } from "../../../load/job-file.js";
import { valueAt } from "../../../text/value-at.js";
import { registerOrders, withOrder } from "./ordering.js";

/** A path of names and numbers, which needs no library. */
const PLAIN = /^[\p{L}_$][\p{L}\p{N}_$-]*(?:\.[\p{L}\p{N}_$-]+|\[\d+\])*$/u;

interface JmesPath {
  readonly compile: typeof compile;
  readonly TreeInterpreter: typeof TreeInterpreter;
  readonly registerFunction: typeof registerFunction;
  readonly TYPE_ANY: number;
}

let loaded: JmesPath | undefined;

function jmesPath(): JmesPath {
  if (loaded !== undefined) return loaded;
  loaded = createRequire(import.meta.url)("@jmespath-community/jmespath") as JmesPath;
  registerOrders(loaded.registerFunction, loaded.TYPE_ANY);
  return loaded;
}

/**
 * The value at a path: names with dots between them, or any JMESPath expression, as in OpenAF. `@` is the
 * whole. The library for expressions is loaded for the first of them.
 */
export function readPath(data: unknown, path: string | undefined): unknown {
  if (path === undefined || path.trim() === "" || path.trim() === "@") return data;
  if (PLAIN.test(path)) return valueAt(data, path);
  const { compile, TreeInterpreter } = jmesPath();
  try {
    // In OpenAF a text may stand between backticks without quotes.
    const expression = compile(path, { enable_legacy_literals: true });
    return TreeInterpreter.search(withOrder(expression), data as never) ?? undefined;
  } catch (error) {
    throw new Error(`the path ${JSON.stringify(path)} cannot be read: ${(error as Error).message}`);
  }
}

/** A copy of a map with another value at a path of names. */
export function withValue(map: unknown, path: string, value: unknown): Args {
  return replaced(map, path.split("."), value);
}

function replaced(map: unknown, [key = "", ...rest]: readonly string[], value: unknown): Args {
  const base = isMap(map) ? map : {};
  const inner = Object.hasOwn(base, key) ? base[key] : undefined;
  return { ...base, [key]: rest.length === 0 ? value : replaced(inner, rest, value) };
}

/** Whether a value is a map, and no list. */
export function isMap(value: unknown): value is Args {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
