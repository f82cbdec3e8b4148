import { fileURLToPath } from "node:url";
import { type Schema, schemasOf } from "@ojm/testing/json-schema";
import type { Printed } from "../schemas/printed.js";

const REFS = "#/definitions/";

/** The schemas of the `--json` output, by the name of the command, and of errors. */
export function printedSchemas(): ReadonlyMap<keyof Printed, Schema> {
  const types = fileURLToPath(new URL("../schemas/printed.ts", import.meta.url));
  const { fields, definitions } = schemasOf(types, "Printed", REFS);
  return new Map(
    Object.entries(fields).map(([name, field]) => {
      const used = new Set<string>();
      collect(field, definitions, used);
      const parts = [...used].sort().map((one) => [one, definitions[one]]);
      return [
        name as keyof Printed,
        {
          $schema: "http://json-schema.org/draft-07/schema#",
          title: name === "error" ? "An error, on stderr, with --json" : `ojm ${name} --json`,
          ...field,
          ...(parts.length > 0 && { definitions: Object.fromEntries(parts) }),
        },
      ];
    }),
  );
}

/** Gathers the definitions that a schema refers to, and those that they refer to. */
function collect(schema: unknown, definitions: Schema, used: Set<string>): void {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    const name = key === "$ref" ? String(value).slice(REFS.length) : undefined;
    if (name === undefined) collect(value, definitions, used);
    else if (!used.has(name)) {
      used.add(name);
      collect(definitions[name], definitions, used);
    }
  }
}
