/**
 * The compiler reads all types of the packages for it.
 *
 * @module-tag full
 */
import { expect, test } from "vitest";
import { openapi } from "../testing/openapi.js";

test("openapi.json is the document of the endpoints; --update writes it again", async () => {
  await expect(`${JSON.stringify(openapi(), undefined, 2)}\n`).toMatchFileSnapshot("../../openapi.json");
});

test("the items of a tuple are prefixItems, as OpenAPI 3.1 has them", () => {
  const lists: unknown[] = [];
  JSON.stringify(openapi(), (key, value: unknown) => {
    if (key === "items" && Array.isArray(value)) lists.push(value);
    return value;
  });
  expect(lists).toEqual([]);
});
