import { jobFileShape } from "../load/check/schema.js";
import type { Fields, Shape } from "../load/check/shape.js";
import { shortcutSchema } from "./shortcut-schema.js";

type Schema = Readonly<Record<string, unknown>>;

const SCALAR = ["string", "number", "boolean"];

/**
 * Makes the JSON Schema of job files from the description that the checks use. Unknown keys are refused, as
 * with `--strict`, so that an editor shows them at once.
 */
export function schemaOfJobFiles(): Schema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "ojm job file",
    ...schemaOf(jobFileShape),
    definitions: { shortcut: shortcutSchema(schemaOf, orNothing) },
  };
}

function schemaOf(shape: Shape): Schema {
  return { description: shape.doc, ...constraintOf(shape) };
}

function constraintOf(shape: Shape): Schema {
  switch (shape.kind) {
    case "any":
      return {};
    case "text":
    case "code":
      return { type: SCALAR };
    case "flag":
      return { type: "boolean" };
    case "number":
      return { type: shape.whole ? "integer" : "number", minimum: shape.min };
    case "word":
      return { enum: shape.words };
    case "shortcut":
      return { $ref: "#/definitions/shortcut" };
    case "args":
      return { anyOf: [{ type: "object" }, { type: "array", items: { type: "object" } }] };
    case "list":
      return { type: "array", items: itemOf(shape.of) };
    case "some":
      return { anyOf: [schemaOf(shape.of), { type: "array", items: schemaOf(shape.of) }] };
    case "either":
      return { anyOf: shape.of.map(schemaOf) };
    case "record":
      return {
        type: "object",
        additionalProperties: shape.filled ? schemaOf(shape.of) : orNothing(shape.of),
        ...(shape.names !== undefined && { propertyNames: { pattern: shape.names } }),
      };
    case "map":
      return { type: "object", ...objectOf(shape.fields, shape.oneOf, shape.rest) };
  }
}

/** An item of a list is never nothing. */
function itemOf(shape: Shape): Schema {
  return shape.kind === "any" ? { ...schemaOf(shape), not: { type: "null" } } : schemaOf(shape);
}

function objectOf(fields: Fields, oneOf: readonly string[] | undefined, rest: Shape | undefined): Schema {
  const required = Object.keys(fields).filter((key) => fields[key]?.required);
  const properties = Object.entries(fields).map(([key, field]) => [
    key,
    field.required ? schemaOf(field) : orNothing(field),
  ]);
  return {
    properties: Object.fromEntries(properties),
    additionalProperties: rest === undefined ? false : schemaOf(rest),
    ...(required.length > 0 && { required }),
    ...(oneOf && {
      anyOf: oneOf.map((key) => ({ required: [key], properties: { [key]: { not: { type: "null" } } } })),
    }),
  };
}

/** A key without a value counts as absent. */
function orNothing(shape: Shape): Schema {
  const {
    type,
    enum: words,
    anyOf,
    ...rest
  } = schemaOf(shape) as {
    readonly type?: string | readonly string[];
    readonly enum?: readonly string[];
    readonly anyOf?: readonly Schema[];
  };
  if (type !== undefined && anyOf !== undefined) return { anyOf: [schemaOf(shape), { type: "null" }] };
  return {
    ...rest,
    ...(type !== undefined && { type: [type, "null"].flat() }),
    ...(words !== undefined && { enum: [...words, null] }),
    ...(anyOf !== undefined && { anyOf: [...anyOf, { type: "null" }] }),
  };
}
