import { fileURLToPath } from "node:url";
import { schemasOf, type TypeSchemas } from "@ojm/testing/json-schema";
import { toJsonSchema } from "@valibot/to-json-schema";
import { endpoints } from "../api/endpoints.js";
import type { Endpoint, Parameter } from "../contract/endpoint.js";

const ERRORS = {
  400: "The request is wrong: the message says what",
  401: "The user is not signed in",
  403: "The role does not allow it, or the request comes from another site",
  404: "It does not exist",
  405: "The path does not take this method",
  409: "It cannot be done now",
  429: "Too many requests or streams",
  500: "A fault of ojm",
  503: "The store is away",
} as const;

const PARAMETERS: Readonly<Record<Parameter["type"], object>> = {
  text: { type: "string" },
  time: { type: "integer", description: "ms since 1970" },
  count: { type: "integer", minimum: 0 },
  statuses: { type: "string" },
  texts: { type: "array", items: { type: "string" } },
  counts: { type: "array", items: { type: "integer", minimum: 0 } },
};

/** The OpenAPI 3.1 document of the API. A test compares `openapi.json` in this package with it. */
export function openapi(): object {
  const types = fileURLToPath(new URL("../contract/types.ts", import.meta.url));
  const { fields, definitions } = schemasOf(types, "Answers", "#/components/schemas/");
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(endpoint, fields) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "The UI of ojm",
      version: "1",
      description:
        "Times are in ms since 1970, durations in ms. A POST needs `Content-Type: application/json` and an `Origin` of this server.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The base path at which the UI is mounted" }],
    security: [{ session: [] }],
    paths,
    components: {
      securitySchemes: {
        session: {
          type: "apiKey",
          in: "cookie",
          name: "ojm_session",
          description:
            "Of `ojm ui` and `openUiServer`, with an underscore and the port behind the name. A UI that is mounted has the session of its server",
        },
      },
      schemas: definitions,
      responses: Object.fromEntries(
        Object.entries(ERRORS).map(([status, description]) => [
          status,
          { description, content: { "application/json": { schema: fields["error"] } } },
        ]),
      ),
    },
  };
}

function operation(
  { id, path, summary, role, query = {}, body, answer }: Endpoint,
  answers: TypeSchemas["fields"],
): object {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query).map(([name, { type, text }]) => ({
    name,
    in: "query",
    description: text,
    schema: PARAMETERS[type],
  }));
  const content = answer.includes("/")
    ? { [answer]: { schema: { type: "string" } } }
    : { "application/json": { schema: answers[answer] } };
  return {
    operationId: id,
    summary,
    ...(role === "none" && { security: [] }),
    "x-role": role,
    parameters: [...inPath, ...inQuery],
    ...(body && { requestBody: { required: true, content: { "application/json": { schema: bodyOf(body) } } } }),
    responses: {
      200: { description: summary, content },
      ...Object.fromEntries(
        Object.keys(ERRORS).map((status) => [status, { $ref: `#/components/responses/${status}` }]),
      ),
    },
  };
}

function bodyOf(schema: NonNullable<Endpoint["body"]>): object {
  const { $schema: _, ...rest } = toJsonSchema(schema, { errorMode: "ignore", target: "draft-2020-12" });
  return rest;
}
