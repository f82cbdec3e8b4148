import { createRequire } from "node:module";
import type { compile, registerFunction, TreeInterpreter } from "@jmespath-community/jmespath";
import { isMap } from "../data/types.js";
import { PATH_FUNCTIONS, type PathFunction } from "./functions.js";
import { registerOrders, withOrder } from "./ordering.js";

interface Library {
  readonly compile: typeof compile;
  readonly TreeInterpreter: typeof TreeInterpreter;
  readonly registerFunction: typeof registerFunction;
  readonly TYPE_ANY: number;
}

let loaded: Library | undefined;

/** The library takes time to load: only a path needs it. */
function library(): Library {
  if (loaded !== undefined) return loaded;
  const jmespath = createRequire(import.meta.url)("@jmespath-community/jmespath") as Library;
  for (const [name, of] of Object.entries(PATH_FUNCTIONS)) register(jmespath, name, of);
  registerOrders(jmespath.registerFunction, jmespath.TYPE_ANY);
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
  const { compile, TreeInterpreter } = library();
  // In OpenAF a text may stand between backticks without quotes.
  const expression = compile(String(path), { enable_legacy_literals: true });
  return TreeInterpreter.search(withOrder(expression), value as never);
}
