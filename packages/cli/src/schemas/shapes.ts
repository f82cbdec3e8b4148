/** A JSON Schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

/** A field that may be absent. */
const OPTIONAL = Symbol("optional");

const describe = (schema: Schema, description: string | undefined): Schema =>
  description === undefined ? schema : { ...schema, description };

export const text = (description?: string): Schema => describe({ type: "string" }, description);
export const flag = (description?: string): Schema => describe({ type: "boolean" }, description);
export const count = (description?: string): Schema => describe({ type: "integer", minimum: 0 }, description);
export const time = (description = "In ms since 1970."): Schema => describe({ type: "integer" }, description);
export const span = (description = "In ms."): Schema => describe({ type: "number", minimum: 0 }, description);
export const oneOf = (...values: readonly string[]): Schema => ({ type: "string", enum: values });
export const list = (items: Schema): Schema => ({ type: "array", items });
export const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });
export const map = (description?: string): Schema => describe({ type: "object" }, description);
export const anything: Schema = {};

/** The same field, which may be absent. */
export const maybe = (schema: Schema): Schema => ({ ...schema, [OPTIONAL]: true });

/** A map with these fields. A later version of ojm may add more. */
export function fields(properties: Readonly<Record<string, Schema>>, description?: string): Schema {
  const required = Object.keys(properties).filter((name) => properties[name]?.[OPTIONAL as unknown as string] !== true);
  const plain = Object.entries(properties).map(
    ([name, schema]) => [name, { ...schema, [OPTIONAL]: undefined }] as const,
  );
  return describe({ type: "object", properties: Object.fromEntries(plain), required }, description);
}
