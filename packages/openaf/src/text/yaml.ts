import { isArray } from "../data/compare.js";
import { thread } from "../thread.js";

/** A value as YAML; with `multiDoc` each item of a list as a document of its own. */
export function toYAML(value: unknown, multiDoc?: unknown): string {
  const write = (one: unknown): string => String(thread.toYAML(one));
  return isArray(value) && multiDoc ? value.map(write).join("\n---\n\n") : write(value);
}

/** The value of YAML, or a list of the values of its documents. */
export function fromYAML(text: unknown): unknown {
  return thread.fromYAML(String(text));
}
