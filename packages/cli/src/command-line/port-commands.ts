import { OUTPUT, STORE } from "./common.js";
import type { CommandSpec } from "./spec.js";

const { json, jsonl } = OUTPUT;

/** The commands that bring what a store knows into another one. */
export const portCommands: readonly CommandSpec[] = [
  {
    name: "export",
    operands: "[NAME]",
    summary: "print runs, logs, schedules and the audit of a store as lines of JSON, for ojm import",
    about: `The store may be used meanwhile. A run that goes on is left out, and so are locks, holds, attempts to come and requests:
they belong to their store. The last line says how much there is.`,
    options: {
      since: {
        value: "TIME",
        text: "only runs that began, ticks and acts since: a duration such as 30d, or a time in ISO 8601",
      },
      until: { value: "TIME", text: "only those before" },
      "no-logs": { text: "without the logs of runs" },
      ...STORE,
    },
  },
  {
    name: "import",
    operands: "[FILE]",
    summary: "bring what ojm export printed into a store: from a file, or from stdin",
    about: `Never changes what the store has, so it can be repeated, also beside processes that use the store. No tick that came due before
is run again: one that came due since the export gets the outcome missed. Says what it imported, what was there already, and what it left
out.`,
    options: { ...STORE, ...(json && { json }), ...(jsonl && { jsonl }) },
  },
];
