/** The methods of a text that read it. */
const METHODS = [
  ...["at", "charAt", "charCodeAt", "endsWith", "includes", "indexOf", "lastIndexOf", "localeCompare", "match"],
  ...["matchAll", "padEnd", "padStart", "repeat", "replace", "replaceAll", "search", "slice", "split", "startsWith"],
  ...["substring", "toLowerCase", "toString", "toUpperCase", "trim", "trimEnd", "trimStart", "valueOf"],
] as const;

/** What the command wrote, where a script uses the result of `sh` as the text that it is in OpenAF. */
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

/**
 * The result of `sh`: a map with `stdout`, `stderr` and `exitcode`. Used as a text, it is what the command
 * wrote. The methods are on the prototype, so that the map that leaves the thread is a plain one.
 */
export function shellResult(result: unknown): unknown {
  return typeof result === "object" && result !== null ? Object.assign(new AsText(), result) : result;
}

/** The text, if the value is a result of `sh`. */
export function textOfShell(value: unknown): unknown {
  return value instanceof AsText ? value.stdout : value;
}
