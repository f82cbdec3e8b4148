import type { Kept } from "../types.js";
import { of } from "./rows.js";

const EXEC = "packages/cli/src/commands/exec";
const execTests = [`${EXEC}/exec.test.ts`];

/** By hand, over `ojm exec`. */
export const exec: Kept = {
  named: [
    ...of(`${EXEC}/guarded-process.ts`, execTests, [
      "EX01 the number of the signal is missing in the exit code",
      "code: EXIT.signal + constants.signals[signal]",
      "code: EXIT.signal",
      "a script cannot see which signal ended its command",
    ]),
    ...of(
      `${EXEC}/left-attempts.ts`,
      [`${EXEC}/left-attempts.test.ts`],
      [
        "EX02 the pending attempts of programs are ended",
        'if (trigger !== "exec" || !(await manager.endLeft(run, next))) continue;',
        "if (!(await manager.endLeft(run, next))) continue;",
        "a program that is restarted does not make the attempt that it left",
      ],
    ),
    ...of(
      `${EXEC}/exec.ts`,
      execTests,
      [
        "EX03 the lock does not last for the wait",
        "timeout: wait + timeout + grace + REST,",
        "timeout: timeout + grace + REST,",
        "a command that waited for its predecessor is killed before its timeout",
      ],
      [
        "EX04 the lock does not last for the grace",
        "timeout: wait + timeout + grace + REST,",
        "timeout: wait + timeout + REST,",
        "a command loses its lock while it cleans up, and the next one begins",
      ],
    ),
    ...of(
      `${EXEC}/run-command.ts`,
      [`${EXEC}/run-command.test.ts`],
      [
        "EX05 two signals that come together count as insisting",
        "return first !== undefined && performance.now() - first >= ONE;",
        "return first !== undefined;",
        "timeout(1) and npm send theirs twice: the command is killed, and has no grace to clean up",
      ],
    ),
  ],
  equivalent: [],
  slow: [],
  last: [],
};
