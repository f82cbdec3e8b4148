import { once } from "node:events";
import { expect, test } from "vitest";
import { emitWarning, explanationOf } from "./warning.js";

test("a warning shows what a terminal would obey as escapes, keeps its lines, and links to its explanation", async () => {
  const warned = once(process, "warning");
  // The message of an error may contain text that any program wrote to the store.
  emitWarning("OJM_ALERT", "a check failed: \u001b[2J\u202e\nthe next line");
  const [warning] = await warned;
  expect(warning).toMatchObject({
    name: "OjmWarning",
    code: "OJM_ALERT",
    message: "a check failed: \\u001b[2J\\u202e\nthe next line",
    detail: `See ${explanationOf("OJM_ALERT")}`,
  });
});
