import { VARIABLE_NAME } from "../text/environment.js";

/**
 * The shape of a place in a job file. One description serves the checks at load, the warnings about unknown
 * keys and the JSON Schema for editors, so that the three never disagree.
 */
export type Shape = (
  | { readonly kind: "text" | "flag" | "code" | "any" | "args" | "shortcut" }
  | { readonly kind: "number"; readonly min: number; readonly unit: string }
  | { readonly kind: "word"; readonly words: readonly string[] }
  | { readonly kind: "list" | "some"; readonly of: Shape }
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
export const text = (doc: string): Shape => ({ kind: "text", doc });
export const flag = (doc: string): Shape => ({ kind: "flag", doc });
export const code = (doc: string): Shape => ({ kind: "code", doc });

/** A whole number from `min` on. `unit` ("milliseconds") names the counted unit in the error message. */
export const number = (doc: string, unit: string, min = 0): Shape => ({ kind: "number", doc, min, unit });
export const word = (doc: string, ...words: string[]): Shape => ({ kind: "word", doc, words });
export const list = (of: Shape, doc: string): Shape => ({ kind: "list", of, doc });

/** One, or a list of them. */
export const some = (of: Shape, doc: string): Shape => ({ kind: "some", of, doc });
export const map = (fields: Fields, doc: string): Shape => ({ kind: "map", fields, doc });

/** A map with these keys. Any other key is an error, because it would change the meaning of the map. */
export const closedMap = (fields: Fields, doc: string): Shape => ({ kind: "map", fields, doc, closed: true });

/** A map with these keys. At least one of `oneOf` must be present. */
export function mapWithOneOf(oneOf: readonly string[], fields: Fields, doc: string): Shape {
  return { kind: "map", fields, oneOf, doc };
}

/** A map with these keys, and with any others, which must have values of the shape `rest`. */
export const openMap = (rest: Shape, fields: Fields, doc: string): Shape => ({ kind: "map", fields, rest, doc });
export const record = (of: Shape, doc: string): Shape => ({ kind: "record", of, doc });

/** A map with any keys, each of which must have a value. */
export const filledRecord = (of: Shape, doc: string): Shape => ({ kind: "record", of, doc, filled: true });

export function variables(doc: string): Shape {
  const value = text("The value. Numbers, true and false are texts.");
  return { kind: "record", of: value, doc, filled: true, names: VARIABLE_NAME };
}

/** One of several shapes. The kind of the node decides which one. */
export const either = (doc: string, ...of: Shape[]): Shape => ({ kind: "either", of, doc });
export const anything = (doc: string): Shape => ({ kind: "any", doc });

/** A shortcut of OpenAF: a map whose keys begin with a bracket. */
export const shortcut = (doc: string): Shape => ({ kind: "shortcut", doc });

/** Arguments: a map, or a list of maps. */
export const args = (doc: string): Shape => ({ kind: "args", doc });
export const required = (shape: Shape): Shape => ({ ...shape, required: true });
