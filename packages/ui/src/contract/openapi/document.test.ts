import { expect, test } from "vitest";
import { openapi } from "./document.js";

test("openapi.json is the document of the endpoints; --update writes it anew", async () => {
  await expect(`${JSON.stringify(openapi(), undefined, 2)}\n`).toMatchFileSnapshot("../../../openapi.json");
});
