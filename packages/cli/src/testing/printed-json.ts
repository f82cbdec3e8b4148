import { readFileSync } from "node:fs";
import { Ajv } from "ajv";

/** The schema without additional fields: a new field must be added to it. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return "properties" in schema ? { ...inner, additionalProperties: false } : inner;
}

const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });

/** The name of the file with the schema of a command, which may have two words. */
export const fileOf = (command: string): string => `${command.replace(" ", "-")}.schema.json`;

/** The JSON that a command printed, and how it differs from its schema. */
export function readPrinted(command: string, out: string): { readonly value: unknown; readonly errors: unknown[] } {
  const file = new URL(`../../schemas/${fileOf(command)}`, import.meta.url);
  const validate = ajv.compile(closed(JSON.parse(readFileSync(file, "utf8"))) as object);
  const value = JSON.parse(out) as unknown;
  return { value, errors: validate(value) ? [] : (validate.errors ?? []) };
}
