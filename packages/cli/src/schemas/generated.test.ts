/**
 * The compiler reads all types of the packages for it.
 *
 * @module-tag full
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fileOf } from "../testing/printed-json.js";
import { printedSchemas } from "../testing/schemas.js";

const FILES = fileURLToPath(new URL("../../schemas/", import.meta.url));

test.each([...printedSchemas()])(
  "the schema of %s is what the sources say; --update writes it",
  async (name, schema) => {
    await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(join(FILES, fileOf(name)));
  },
);
