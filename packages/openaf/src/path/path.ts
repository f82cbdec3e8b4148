import { createRequire } from "node:module";
import type { registerFunction, search } from "@jmespath-community/jmespath";
import { isMap } from "../data/types.js";
import { PATH_FUNCTIONS, type PathFunction } from "./functions.js";

interface Library {
  readonly search: typeof search;
  readonly registerFunction: typeof registerFunction;
  readonly TYPE_ANY: number;
}

let loaded: Library | undefined;

/** The library takes time to load: only a path needs it. */
function library(): Library {
  if (loaded !== undefined) return loaded;
  const jmespath = createRequire(import.meta.url)("@jmespath-community/jmespath") as Library;
  for (const [name, of] of Object.entries(PATH_FUNCTIONS)) register(jmespath, name, of);
  loaded = jmespath;
  return jmespath;
}

function register({ registerFunction, TYPE_ANY }: Library, name: string, [count, call]: PathFunction): void {
  const signature = Array.from({ length: count }, () => ({ types: [TYPE_ANY] }));
  registerFunction(name, (values) => call(...(values as never[])) as never, signature, { override: true });
}

/** The part of a value that an expression of JMESPath names. */
export function $path(value: unknown, path: unknown = "@", functions?: unknown): unknown {
  if (isMap(functions)) throw new Error("$path takes no functions of the script here: call them with what it returns");
  return library().search(value as never, String(path));
}
