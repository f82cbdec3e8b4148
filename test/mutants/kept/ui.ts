import type { Kept } from "../types.js";
import { of } from "./rows.js";

const sessionTests = ["packages/ui/src/security/tokens.test.ts"];

/** By hand, over who may use the UI. */
export const ui: Kept = {
  named: of("packages/ui/src/security/sessions.ts", sessionTests, [
    "U01 only the last session that was ended is known",
    "this.#ended.set(id, now + LIFE);",
    "this.#ended.clear();\n    this.#ended.set(id, now + LIFE);",
    "a second logout makes the first cookie good again",
  ]),
  equivalent: [],
  slow: [],
  last: [],
};
