import type { NamedMutant } from "../../types.js";

/** Mutants of channels. */
export const named: readonly NamedMutant[] = [
  {
    name: "V01 a key that keeps its text has that of another channel",
    file: "packages/core/src/channel/encoding/known-key.ts",
    search: "if (this.#scope !== scope) {",
    replace: "if (this.#scope === undefined) {",
    why: "a record is written among the locks",
    tests: ["packages/core/src/channel/encoding/known-key.test.ts"],
  },
  {
    name: "V02 a key has the text of the same key in another channel of the commit",
    file: "packages/core/src/channel/commit.ts",
    search: "  const first = done.checks;\n",
    replace: "  const first = 0;\n",
    why: "a value is written into another channel",
    tests: ["packages/core/src/channel/commit.test.ts"],
  },
];
