import type { Shape } from "../load/check/shape.js";
import { stepArgs } from "../load/shortcuts/items.js";
import { keyPattern } from "../load/shortcuts/keys.js";
import { REFUSED } from "../load/shortcuts/refused.js";
import type { ShortcutShape } from "../load/shortcuts/shape.js";
import { SHORTCUTS } from "../load/shortcuts/table.js";

type Schema = Readonly<Record<string, unknown>>;

/** Makes the schema of a shape. */
type Make = (shape: Shape) => Schema;

/**
 * The schema of a shortcut. Its keys are patterns, as real files align them. `orNothing` is for values that
 * may be missing.
 */
export function shortcutSchema(schemaOf: Make, orNothing: Make): Schema {
  const known = Object.entries(SHORTCUTS).map(([name, shape]) => knownSchema(name, shape, schemaOf, orNothing));
  return { description: "A shortcut of OpenAF.", anyOf: [...known, customSchema(orNothing)] };
}

function knownSchema(name: string, { doc, value, options }: ShortcutShape, schemaOf: Make, orNothing: Make): Schema {
  const made = (shape: Shape): Schema => (shape.required ? schemaOf(shape) : orNothing(shape));
  const main = keyPattern(name, false);
  const others = Object.entries(options).map(([option, shape]) => [keyPattern(option, true), shape] as const);
  const required = others.flatMap(([pattern, shape]) => (shape.required ? [pattern] : []));
  const patterns = [[main, made(value)], ...others.map(([pattern, shape]) => [pattern, made(shape)])];
  return withKeys(doc, Object.fromEntries(patterns), [main, ...required], orNothing);
}

/** A shortcut that a job of the file, or of an included one, defines: which there are, no schema knows. */
function customSchema(orNothing: Make): Schema {
  const names = [...Object.keys(SHORTCUTS), ...Object.keys(REFUSED)].join("|");
  const main = `^\\((?!\\()(?!(?:${names})\\s*\\)*\\s*$)`;
  return withKeys("A shortcut of a job.", { [main]: {}, "^\\(\\(": {} }, [main], orNothing);
}

function withKeys(description: string, patterns: Schema, required: readonly string[], orNothing: Make): Schema {
  return {
    description,
    type: "object",
    patternProperties: patterns,
    properties: { args: orNothing(stepArgs) },
    additionalProperties: false,
    allOf: required.map(hasKey),
  };
}

/** A map in which at least one key matches a pattern. */
function hasKey(pattern: string): Schema {
  return {
    type: "object",
    not: { type: "object", propertyNames: { type: "string", not: { type: "string", pattern } } },
  };
}
