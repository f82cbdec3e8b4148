import { call } from "../bridge.js";

/** JSON, by default indented by two spaces. A circular reference is shown as such. */
export function stringify(value: unknown, replacer?: never, space: string | number = 2): string | undefined {
  try {
    return JSON.stringify(value, replacer, space);
  } catch {
    const open: unknown[] = [];
    return JSON.stringify(
      value,
      function (this: unknown, _key, item: unknown) {
        while (open.length > 0 && open[open.length - 1] !== this) open.pop();
        if (open.includes(item)) return "[circular]";
        if (typeof item === "object" && item !== null) open.push(item);
        return typeof item === "bigint" ? String(item) : item;
      },
      space,
    );
  }
}

/**
 * The value of a JSON text. For any other text, `otherwise` if it is given, or the text itself; for no text,
 * `{}`. With `true` it also reads JavaScript literals, as OpenAF does: keys without quotes, texts in single
 * quotes, comments, a comma at the end.
 */
export function jsonParse(given: unknown, otherwise?: unknown): unknown {
  const text = given instanceof AsText ? given.stdout : given;
  if (text === undefined || text === null || text === "") return {};
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    if (typeof otherwise === "boolean") return otherwise ? call("parseData", text) : text;
    return otherwise === undefined ? text : otherwise;
  }
}

/** The read-only methods of a text. */
const METHODS = [
  ...["at", "charAt", "charCodeAt", "endsWith", "includes", "indexOf", "lastIndexOf", "localeCompare", "match"],
  ...["matchAll", "padEnd", "padStart", "repeat", "replace", "replaceAll", "search", "slice", "split", "startsWith"],
  ...["substring", "toLowerCase", "toString", "toUpperCase", "trim", "trimEnd", "trimStart", "valueOf"],
] as const;

/** The output of the command, for a script that uses the result of `sh` as a text, as in OpenAF. */
class AsText {
  declare readonly stdout: string;

  get length(): number {
    return this.stdout.length;
  }
}

for (const name of METHODS) {
  const method = String.prototype[name] as (...parameters: unknown[]) => unknown;
  Object.defineProperty(AsText.prototype, name, {
    value(this: AsText, ...parameters: unknown[]) {
      return method.apply(this.stdout, parameters);
    },
  });
}

/** The result of `sh`: a map, and used as a text the output. A plain map leaves the thread. */
export function shellResult(result: unknown): unknown {
  return typeof result === "object" && result !== null ? Object.assign(new AsText(), result) : result;
}
