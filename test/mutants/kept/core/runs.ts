import type { Equivalent, NamedMutant } from "../../types.js";

const JOBS = "packages/core/src/jobs";

/** Mutants of a run, from its start to its end. */
export const named: readonly NamedMutant[] = [
  {
    name: "V03 a record tells the timeout of the run before it",
    file: `${JOBS}/run/record-texts.ts`,
    search: " && common.timeout === timeout) return",
    replace: ") return",
    why: "the history shows a limit that the run did not have, and others wait for it",
    tests: [`${JOBS}/run/record-texts.test.ts`],
  },
  {
    name: "V04 a text in a record is not escaped",
    file: `${JOBS}/run/record-texts.ts`,
    search: "JSON.stringify(error)",
    replace: "error",
    why: "a run that fails leaves a record that nobody can read",
    tests: [`${JOBS}/run/record-texts.test.ts`],
  },
  {
    name: "J51 a body with a promise is not ended by its timeout",
    file: `${JOBS}/run/run-body.ts`,
    search:
      'if (typeof result === "object" || typeof result === "function") Promise.resolve(result).then(resolve, reject);\n    else resolve(result);',
    replace: "resolve(result);",
    why: "a body that hangs keeps its caller waiting for ever",
  },
  {
    name: "J09 an end after the timeout is no timeout",
    file: `${JOBS}/run/open-run.ts`,
    search: "    this.#lease.expireTimeout();\n",
    replace: "",
    why: "the record says that a run completed whose lock was free by then",
    tests: [`${JOBS}/cancelled.test.ts`],
  },
  {
    name: "J33 a run that is over stays open for its manager",
    file: `${JOBS}/run/open-run.ts`,
    search: "      this.#context.onOver(this);\n",
    replace: "",
    why: "as L19",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "J33b a run that is over follows its signal on",
    file: `${JOBS}/run/open-run.ts`,
    search: "      this.#stopListening?.();\n",
    replace: "",
    why: "as L19, where all runs of a program are given one signal",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "J41 a run whose record and lock were written over never ends",
    file: `${JOBS}/run/closing-writes.ts`,
    search: "if (this.#isRefused) return false;",
    replace: "if (this.#isRefused) return true;",
    why: "the end asks the store again and again, for ever",
  },
  {
    name: "J42 who is told of a timeout finds the record open",
    file: `${JOBS}/run/run-body.ts`,
    search: "    await run.closedSoon();\n",
    replace: "",
    why: "a program that ends when its run does leaves the record to the sweeper of others",
  },
  {
    name: "K19 a record is written without its entry in the index",
    file: `${JOBS}/run/start-run.ts`,
    search: "index.addWith(record, draft.record)",
    replace: "[record]",
    why: "the run is missing from the history of all names, and is never pruned",
    tests: [`${JOBS}/records/time-index.test.ts`],
  },
  {
    name: "K16 the start times of all names are kept for ever",
    file: `${JOBS}/run/start-times.ts`,
    search: "    if (this.#last.size >= REMEMBERED) this.#last.clear();\n",
    replace: "",
    why: "as L19, where names are made up anew for each run",
    tests: [`${JOBS}/run/start-times.test.ts`],
  },
  {
    name: "K16b only the last start time is remembered",
    file: `${JOBS}/run/start-times.ts`,
    search: "this.#last.size >= REMEMBERED",
    replace: "this.#last.size < REMEMBERED",
    why: "names that run by turns in one ms are refused their start times, and cost a scan each",
    tests: [`${JOBS}/run/start-times.test.ts`],
  },
];

export const equivalent: readonly Equivalent[] = [
  {
    file: `${JOBS}/run/open-run.ts`,
    operator: "drop ?.",
    text: "?.",
    line: "await Promise.race([moment, this.#closing?.catch(() => {})]);",
    why: "it is called only once the end began",
  },
  {
    file: `${JOBS}/errors.ts`,
    operator: "true to false",
    text: "true",
    line: "Object.defineProperty(this, BRAND, { value: true });",
    why: "what counts is that the brand is there, not its value",
  },
  {
    file: `${JOBS}/run/start-times.ts`,
    operator: ">= to >",
    text: ">=",
    line: "if (this.#last.size >= REMEMBERED) this.#last.clear();",
    why: "one name more is remembered, and the limit is arbitrary",
  },
];
