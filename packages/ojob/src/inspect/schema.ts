import { notifyRule } from "../load/notify.js";
import {
  argument,
  blackoutWindow,
  depsItem,
  envFileItem,
  helpMap,
  jobFileShape,
  secretUse,
  todoItem,
} from "../load/schema.js";
import type { Fields, Shape } from "../load/shape.js";
import type { ShortcutDefinition } from "../shortcuts/definition.js";
import { keyPattern, listItem, stepArgs, stepItem } from "../shortcuts/syntax.js";
import { REFUSED, SHORTCUTS } from "../shortcuts/table.js";

type Schema = Readonly<Record<string, unknown>>;

const SCALAR = ["string", "number", "boolean"];

/** Schemas that occur at many places, each with its own description. */
const PLAIN: Readonly<Record<string, Schema>> = {
  text: { type: SCALAR },
  textOrNothing: { type: [...SCALAR, "null"] },
  flag: { type: "boolean" },
  flagOrNothing: { type: ["boolean", "null"] },
};

/** Shapes that occur at several places, by their names in the schema, which has each of them once. */
const SHARED: ReadonlyMap<Shape, string> = new Map([
  [todoItem, "todoItem"],
  [stepItem, "stepItem"],
  [listItem, "listItem"],
  [depsItem, "depsItem"],
  [envFileItem, "envFileItem"],
  [secretUse, "secretUse"],
  [notifyRule, "notifyRule"],
  [blackoutWindow, "blackoutWindow"],
  [helpMap, "help"],
  [argument, "argument"],
  [stepArgs, "stepArgs"],
]);

/** The JSON Schema of job files, from the description that the checks use. Unknown keys are errors. */
export function schemaOfJobFiles(): Schema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "ojm job file",
    ...schemaOf(jobFileShape),
    definitions: {
      ...PLAIN,
      shortcut: shortcutSchema(),
      ...Object.fromEntries([...SHARED].map(([shape, name]) => [name, wholeSchemaOf(shape)])),
    },
  };
}

function schemaOf(shape: Shape): Schema {
  const name = SHARED.get(shape);
  return name === undefined ? wholeSchemaOf(shape) : reference(name);
}

function reference(definition: string): Schema {
  return { $ref: `#/definitions/${definition}` };
}

function wholeSchemaOf(shape: Shape): Schema {
  return { description: shape.doc, ...constraintOf(shape) };
}

function constraintOf(shape: Shape): Schema {
  const { kind } = shape;
  if (kind === "text" || kind === "code") return reference("text");
  if (kind === "flag" || kind === "shortcut") return reference(kind);
  if (kind === "number") return { type: "integer", minimum: shape.min };
  if (kind === "word") return { enum: shape.words };
  if (kind === "list") return { type: "array", items: itemOf(shape.of) };
  if (kind === "some") return { anyOf: [schemaOf(shape.of), { type: "array", items: schemaOf(shape.of) }] };
  if (kind === "either") return { anyOf: shape.of.map(schemaOf) };
  if (kind === "map") return { type: "object", ...objectOf(shape.fields, shape.oneOf, shape.rest) };
  if (kind === "args") {
    return { anyOf: [{ type: "object" }, { type: "array", items: { type: "object" } }, { type: "string" }] };
  }
  if (kind !== "record") return {};
  return {
    type: "object",
    additionalProperties: shape.filled ? schemaOf(shape.of) : orNothing(shape.of),
    ...(shape.names !== undefined && { propertyNames: { pattern: shape.names } }),
  };
}

/** An item of a list must have a value. */
function itemOf(shape: Shape): Schema {
  return shape.kind === "any" ? { ...schemaOf(shape), not: { type: "null" } } : schemaOf(shape);
}

function objectOf(fields: Fields, oneOf: readonly string[] | undefined, rest: Shape | undefined): Schema {
  const required = Object.keys(fields).filter((key) => fields[key]?.required);
  const properties = Object.entries(fields).map(([key, field]) => [key, fieldSchema(field)]);
  return {
    properties: Object.fromEntries(properties),
    additionalProperties: rest === undefined ? false : schemaOf(rest),
    ...(required.length > 0 && { required }),
    ...(oneOf && {
      anyOf: oneOf.map((key) => ({ required: [key], properties: { [key]: { not: { type: "null" } } } })),
    }),
  };
}

function fieldSchema(shape: Shape): Schema {
  return shape.required ? schemaOf(shape) : orNothing(shape);
}

/** A key without a value counts as absent. */
function orNothing(shape: Shape): Schema {
  const { kind, doc: description } = shape;
  if (kind === "text" || kind === "code") return { description, ...reference("textOrNothing") };
  if (kind === "flag") return { description, ...reference("flagOrNothing") };
  const { type, enum: words, anyOf, $ref, ...rest } = schemaOf(shape);
  if ($ref !== undefined || (type !== undefined && anyOf !== undefined)) {
    return { anyOf: [schemaOf(shape), { type: "null" }] };
  }
  return {
    ...rest,
    ...(type !== undefined && { type: [type, "null"].flat() }),
    ...(words !== undefined && { enum: [words, null].flat() }),
    ...(anyOf !== undefined && { anyOf: [anyOf, { type: "null" }].flat() }),
  };
}

/** The schema of a shortcut, with patterns as keys. */
function shortcutSchema(): Schema {
  const known = Object.entries(SHORTCUTS).map(([name, shape]) => knownSchema(name, shape));
  return { description: "A shortcut of OpenAF.", anyOf: [...known, customSchema()] };
}

function knownSchema(name: string, { doc, value, options }: ShortcutDefinition): Schema {
  const main = keyPattern(name, false);
  const others = Object.entries(options).map(([option, shape]) => [keyPattern(option, true), shape] as const);
  const required = others.flatMap(([pattern, shape]) => (shape.required ? [pattern] : []));
  const patterns = [[main, fieldSchema(value)], ...others.map(([pattern, shape]) => [pattern, fieldSchema(shape)])];
  return withKeys(doc, Object.fromEntries(patterns), [main, ...required]);
}

/** A shortcut that a job of the file, or of an included one, defines. A schema cannot know their names. */
function customSchema(): Schema {
  const names = [...Object.keys(SHORTCUTS), ...Object.keys(REFUSED)].join("|");
  const main = `^\\((?!\\()(?!(?:${names})\\s*\\)*\\s*$)`;
  return withKeys("A shortcut of a job.", { [main]: {}, "^\\(\\(": {} }, [main]);
}

function withKeys(description: string, patterns: Schema, required: readonly string[]): Schema {
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
