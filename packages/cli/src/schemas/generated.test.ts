/**
 * The compiler reads all types of the packages for it.
 *
 * @module-tag full
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { printedSchemas } from "../testing/schemas.js";

const FILES = fileURLToPath(new URL("../../schemas/", import.meta.url));

test.each([...printedSchemas()])("%s.schema.json is what the sources say; --update writes it", async (name, schema) => {
  await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(join(FILES, `${name}.schema.json`));
});
