import type { TodoEntry } from "../../load/job-file.js";
import { ownReturns } from "../../script/javascript.js";
import type { Problems } from "../../text/problem.js";
import { checkScript } from "../script.js";

/** Checks the `when` of an item of the todo: code that returns whether the job runs. */
export function checkWhen({ when, job, at }: TodoEntry, problems: Problems): void {
  if (when === undefined) return;
  const before = problems.errors.length;
  checkScript(when, "when", job, problems);
  const code = when.code.trim();
  // `when: false` switches an item off.
  if (problems.errors.length > before || code === "false" || ownReturns(code).length > 0) return;
  const place = { source: when.source, line: when.line, column: when.indent + 1 };
  const state = /^[A-Za-z_$][\w$]*$/.test(code) && code !== "true";
  const message = state
    ? `"${code}" is a state of OpenAF, and ojm has none: set one by $set("state", "${code}") in a script, and write ` +
      `when: return $get("state") == "${code}".`
    : `"when" returns nothing, so "${job}" would never run: write "return" before what decides.`;
  problems.error(message, when.exact ? place : at);
}
