import { VARIABLE_NAME } from "../text/environment.js";

/**
 * The shape of a place in a job file. One description serves the checks at load, the warnings about unknown
 * keys and the JSON Schema for editors, so that the three never disagree.
 */
export type Shape = (
  | { readonly kind: "text" | "flag" | "code" | "any" | "args" | "shortcut" }
  | { readonly kind: "number"; readonly min: number; readonly whole: boolean; readonly unit: string }
  | { readonly kind: "word"; readonly words: readonly string[] }
  | { readonly kind: "list"; readonly of: Shape }
  | { readonly kind: "some"; readonly of: Shape }
  | {
      readonly kind: "map";
      readonly fields: Fields;
      readonly oneOf?: readonly string[];
      readonly rest?: Shape;
      readonly closed?: true;
    }
  | { readonly kind: "record"; readonly of: Shape; readonly filled?: true; readonly names?: string }
  | { readonly kind: "either"; readonly of: readonly Shape[] }
) & {
  readonly doc: string;
  readonly required?: true;
};

export type Fields = Readonly<Record<string, Shape>>;

/** A text. Numbers and booleans count as texts: a job may be called 42. */
export function text(doc: string): Shape {
  return { kind: "text", doc };
}

export function flag(doc: string): Shape {
  return { kind: "flag", doc };
}

export function code(doc: string): Shape {
  return { kind: "code", doc };
}

/** A number from `min` on. `unit` ("milliseconds") names the counted unit in the error message. */
export function number(doc: string, unit: string, min = 0, whole = true): Shape {
  return { kind: "number", doc, min, unit, whole };
}

export function word(doc: string, ...words: string[]): Shape {
  return { kind: "word", doc, words };
}

export function list(of: Shape, doc: string): Shape {
  return { kind: "list", of, doc };
}

/** One, or a list of them. */
export function some(of: Shape, doc: string): Shape {
  return { kind: "some", of, doc };
}

export function map(fields: Fields, doc: string): Shape {
  return { kind: "map", fields, doc };
}

/** A map with these keys. Any other key is an error, because it would change the meaning of the map. */
export function closedMap(fields: Fields, doc: string): Shape {
  return { kind: "map", fields, doc, closed: true };
}

/** A map with these keys. At least one of `oneOf` must be present. */
export function mapWithOneOf(oneOf: readonly string[], fields: Fields, doc: string): Shape {
  return { kind: "map", fields, oneOf, doc };
}

/** A map with these keys, and with any others, which must have values of the shape `rest`. */
export function openMap(rest: Shape, fields: Fields, doc: string): Shape {
  return { kind: "map", fields, rest, doc };
}

export function record(of: Shape, doc: string): Shape {
  return { kind: "record", of, doc };
}

/** A map with any keys, each of which must have a value. */
export function filledRecord(of: Shape, doc: string): Shape {
  return { kind: "record", of, doc, filled: true };
}

export function variables(doc: string): Shape {
  const value = text("The value. Numbers, true and false are texts.");
  return { kind: "record", of: value, doc, filled: true, names: VARIABLE_NAME };
}

/** One of several shapes. The kind of the node decides which one. */
export function either(doc: string, ...of: Shape[]): Shape {
  return { kind: "either", of, doc };
}

export function anything(doc: string): Shape {
  return { kind: "any", doc };
}

/** A shortcut of OpenAF: a map whose keys begin with a bracket. */
export function shortcut(doc: string): Shape {
  return { kind: "shortcut", doc };
}

/** Arguments: a map, or a list of maps. */
export function args(doc: string): Shape {
  return { kind: "args", doc };
}

export function required(shape: Shape): Shape {
  return { ...shape, required: true };
}
