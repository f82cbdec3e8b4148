import { parse, stringify } from "yaml";

/** A value as YAML. */
export function toYaml(value: unknown): string {
  return stringify(value);
}

/** The value of a YAML text. */
export function fromYaml(text: string): unknown {
  return parse(text);
}
