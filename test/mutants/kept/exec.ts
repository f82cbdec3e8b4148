import type { Kept } from "../types.js";
import { of } from "./rows.js";

const execTests = ["packages/cli/src/commands/exec/exec.test.ts"];

/** By hand, over `ojm exec`. */
export const exec: Kept = {
  named: of("packages/cli/src/commands/exec/guarded-process.ts", execTests, [
    "X01 the number of the signal is missing in the exit code",
    "code: EXIT.signal + constants.signals[signal]",
    "code: EXIT.signal",
    "a script cannot see which signal ended its command",
  ]),
  equivalent: [],
  slow: [],
  last: [],
};
