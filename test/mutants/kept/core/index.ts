import type { Kept } from "../../types.js";
import * as acquire from "./acquire.js";
import * as channel from "./channel.js";
import * as holding from "./holding.js";
import * as logs from "./logs.js";
import * as records from "./records.js";
import * as runs from "./runs.js";
import * as sessions from "./sessions.js";

const LOCKS = "packages/core/src/locks";
const JOBS = "packages/core/src/jobs";

/** What is kept of core: a file for each part. */
export const core: Kept = {
  named: [
    ...acquire.named,
    ...sessions.named,
    ...holding.named,
    ...records.named,
    ...runs.named,
    ...logs.named,
    ...channel.named,
  ],
  equivalent: [
    ...acquire.equivalent,
    ...sessions.equivalent,
    ...holding.equivalent,
    ...records.equivalent,
    ...runs.equivalent,
  ],
  slow: [
    // They start processes or threads, or go through all that is in memory.
    `${LOCKS}/busy.test.ts`,
    `${JOBS}/run/exit.test.ts`,
    `${JOBS}/leaks.test.ts`,
    `${JOBS}/planted-bugs.test.ts`,
  ],
  last: [`${JOBS}/simulation.test.ts`],
};
