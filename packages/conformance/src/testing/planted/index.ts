import type { Bug } from "./bug.js";
import { commits } from "./commits.js";
import { conditions } from "./conditions.js";
import { timesToLive } from "./deadlines.js";
import { faults } from "./faults.js";
import { keysAndValues } from "./keys-and-values.js";
import { scans } from "./scans.js";
import { watches } from "./watches.js";

/** All backends that are wrong on purpose. */
export const bugs: readonly Bug[] = [
  ...keysAndValues,
  ...scans,
  ...conditions,
  ...commits,
  ...timesToLive,
  ...watches,
  ...faults,
];
