import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Endpoint } from "../contract/endpoint.js";

/** The schemas without additional fields: an answer must not have more. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return "properties" in inner && !("additionalProperties" in inner)
    ? { ...inner, additionalProperties: false }
    : inner;
}

const document: unknown = JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8"));
const ajv = new Ajv2020({ strict: false, allErrors: true }).addSchema(closed(document) as object, "openapi");

/** How an answer differs from the schema of its endpoint in `openapi.json`. */
export function answerErrors({ path, method }: Pick<Endpoint, "path" | "method">, answer: unknown): unknown[] {
  const place = path.replace(/:(\w+)/g, "{$1}").replaceAll("/", "~1");
  return errorsBy(`/paths/${place}/${method.toLowerCase()}/responses/200/content/application~1json/schema`, answer);
}

/** How a value differs from a type of `openapi.json`, or from one of its properties. */
export const typeErrors = (type: string, value: unknown): unknown[] => errorsBy(`/components/schemas/${type}`, value);

function errorsBy(pointer: string, value: unknown): unknown[] {
  const validate = ajv.compile({ $ref: `openapi#${encodeURI(pointer)}` });
  return validate(value) ? [] : (validate.errors ?? []);
}
