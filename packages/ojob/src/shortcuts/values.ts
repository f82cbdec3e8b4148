import { createRequire } from "node:module";
import type * as JmesPath from "@jmespath-community/jmespath";
import type { HelperDelegate } from "handlebars";
import type { Args } from "../load/job-file.js";
import { templify as templifyPlain } from "../script/worker/functions/values.js";
import type { Variables } from "../text/environment.js";
import {
  asData,
  fillAll,
  fillBlocks,
  hasBlocks,
  isMap,
  type MissingValue,
  requiredText,
  valueAt,
} from "../text/template.js";

/** A path of names and numbers, which needs no library. */
const PLAIN = /^[\p{L}_$][\p{L}\p{N}_$-]*(?:\.[\p{L}\p{N}_$-]+|\[\d+\])*$/u;

let loaded: typeof JmesPath | undefined;

function jmesPath(): typeof JmesPath {
  if (loaded !== undefined) return loaded;
  loaded = createRequire(import.meta.url)("@jmespath-community/jmespath") as typeof JmesPath;
  registerOrders(loaded.registerFunction, loaded.TYPE_ANY);
  return loaded;
}

/** The value at a path of names, or of any JMESPath expression, as in OpenAF. `@` is the whole. */
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

// @ojm/openaf has a copy for its $path, because the packages share no code.

/** JMESPath orders numbers only. OpenAF orders like JavaScript, which includes texts, and with them dates. */
const ORDERS: Readonly<Record<string, (a: never, b: never) => boolean>> = {
  GT: (a, b) => a > b,
  GTE: (a, b) => a >= b,
  LT: (a, b) => a < b,
  LTE: (a, b) => a <= b,
};

function nameOf(order: string): string {
  return `ojm_${order.toLowerCase()}`;
}

/** Adds to the library the functions that {@link withOrder} uses. `any`: the library's type for any value. */
function registerOrders(register: typeof JmesPath.registerFunction, any: number): void {
  const signature = [{ types: [any] }, { types: [any] }];
  for (const [order, holds] of Object.entries(ORDERS)) {
    register(nameOf(order), ([a, b]) => holds(a as never, b as never), signature, { override: true });
  }
}

/** The expression with a call of a function for each `<`, `<=`, `>` and `>=`. */
function withOrder<Node>(node: Node): Node {
  if (Array.isArray(node)) return node.map((one) => withOrder<unknown>(one)) as Node;
  if (typeof node !== "object" || node === null) return node;
  const { type, name, left, right } = node as Readonly<Record<string, unknown>>;
  if (type === "Literal") return node;
  if (type === "Comparator" && Object.hasOwn(ORDERS, String(name))) {
    return { type: "Function", name: nameOf(String(name)), children: [withOrder(left), withOrder(right)] } as Node;
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withOrder<unknown>(value)])) as Node;
}

/** Receives each template without a value: the argument or option that holds it, and how it is written. */
type Missing = (option: string, written: string) => void;

export class Templates {
  readonly #args: Args;
  readonly #helpers: Readonly<Record<string, HelperDelegate>>;
  readonly #variables: Variables;
  readonly #missing: Missing;

  /** The sources from which templates are filled: arguments, values of $set, and variables. */
  constructor(args: Args, values: ReadonlyMap<string, unknown>, variables: Variables, missing: Missing) {
    this.#args = args;
    this.#variables = variables;
    this.#missing = missing;
    this.#helpers = {
      $get: (key: unknown) => asData(values.get(String(key))),
      $path: (data: unknown, path: unknown) => asData(readPath(data, String(path))),
    };
  }

  /** Fills every text in a value, as in `args`: also from the fields of a map that were filled before. */
  fill(value: unknown, option: string): unknown {
    if (!isMap(value)) return this.#fill(value, option, this.#args);
    const filled: Args = {};
    for (const [key, item] of Object.entries(value)) {
      const result = this.#fill(item, key, { ...this.#args, ...filled });
      if (result !== undefined) filled[key] = result;
    }
    return filled;
  }

  /** Fills a template of Handlebars, as `templify` does: a path without a value becomes an empty text. */
  templify(text: string, data: unknown): string {
    if (!needsHandlebars(text) && !text.includes("$env")) return templifyPlain(text, data ?? {});
    return fillBlocks(text, data ?? {}, { html: true, helpers: this.#helpers, variables: this.#variables });
  }

  #fill(value: unknown, option: string, data: Args): unknown {
    if (typeof value === "string") {
      const missing: MissingValue = (written, message) => {
        if (message !== undefined) throw new Error(requiredText(option, written, message));
        this.#missing(option, written);
      };
      const variables = this.#variables;
      if (!needsHandlebars(value)) return fillAll(value, data, { missing, keep: option === "name", variables });
      const filling = { html: false, helpers: this.#helpers, variables };
      return fillBlocks(value, data, { ...filling, missing: (path) => missing(`{{${path}}}`) });
    }
    if (Array.isArray(value)) return value.map((item) => this.#fill(item, option, data));
    if (!isMap(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#fill(item, option, data)]));
  }
}

/** The helpers that templates of shortcuts have beside the others. */
export const SHORTCUT_HELPERS: readonly string[] = ["$get", "$path"];

/** A call of such a helper. */
const CALL = /\{\{[^{}]*\$(?:get|path)\b/;

/** Whether only Handlebars can fill a text of a shortcut. */
export function needsHandlebars(text: string): boolean {
  return text.includes("{{") && (hasBlocks(text) || CALL.test(text));
}
