import type { Equivalent, NamedMutant } from "../../types.js";

const JOBS = "packages/core/src/jobs";

/** Mutants of the records of runs. */
export const named: readonly NamedMutant[] = [
  {
    name: "J50 a record of an own run forgets why it ended",
    file: `${JOBS}/records/record.ts`,
    search: "  if (error !== undefined) end.error = error;\n",
    replace: "",
    why: "nobody learns why a run failed",
    tests: [`${JOBS}/records/record.test.ts`],
  },
  {
    name: "J65 a prune leaves the failures in the index",
    file: `${JOBS}/records/time-index.ts`,
    search:
      "return failure === undefined ? [{ delete: timeKey(ref) }] : [{ delete: timeKey(ref) }, { delete: failure }];",
    replace: "return [{ delete: timeKey(ref) }];",
    why: "the index of failures grows for ever",
    tests: [`${JOBS}/simulation.test.ts`],
  },
  {
    name: "J66 who closes the run of a dead process does not index it",
    file: `${JOBS}/records/record.ts`,
    search: "jobs.commitWith<unknown[]>(ops, index.addFailure(record))",
    replace: "jobs.commit(ops)",
    why: "a run that was lost is not among the failures",
    tests: [`${JOBS}/records/failures.test.ts`],
  },
  {
    name: "J40 records are deleted in one step, however many",
    file: `${JOBS}/records/prune.ts`,
    search: "Math.min(AT_ONCE, Math.floor(jobs.supports.maxOps / (index.kept ? 3 : 1)))",
    replace: "AT_ONCE",
    why: "a store refuses so much at once, and its records grow for ever",
    tests: [`${JOBS}/records/history.test.ts`],
  },
  {
    name: "K15 the rest between two looks at the records has no limit",
    file: `${JOBS}/records/housekeeping.ts`,
    search: "JITTER * this.#ttl * chance",
    replace: "(JITTER * this.#ttl) / chance",
    why: "a run whose lock is gone with its store may stay open for days",
    tests: [`${JOBS}/records/orphans.test.ts`],
  },
  {
    name: "K20 prune leaves the entries of the index",
    file: `${JOBS}/records/prune.ts`,
    search: "index.remove([...old, ...gone])",
    replace: "index.remove(gone)",
    why: "the index grows for ever",
    tests: [`${JOBS}/records/time-index.test.ts`],
  },
  {
    name: "K21 an index is filled once only",
    file: `${JOBS}/records/fill-index.ts`,
    search: "settled: isEmpty || filled !== undefined",
    replace: "settled: true",
    why: "what an older version writes during an upgrade is never found",
    tests: [`${JOBS}/records/time-index.test.ts`],
  },
  {
    name: "K22 an index is complete before it is filled",
    file: `${JOBS}/records/fill-index.ts`,
    search: "if (!isEmpty && !(await addAll(filling))) return;",
    replace: "",
    why: "the history of all names lacks what was there before",
    tests: [`${JOBS}/records/time-index.test.ts`],
  },
  {
    name: "K23 the next look begins where the last one ended, not where it began",
    file: `${JOBS}/records/close-orphans.ts`,
    search: "const version = await markBegin(look.turns, until);",
    replace: 'const version = "9".repeat(20);\n  await markBegin(look.turns, until);',
    why: "a run that began during the look and lost its lock stays open until the full look",
    tests: [`${JOBS}/records/orphans.test.ts`, `${JOBS}/records/time-index.test.ts`],
  },
  {
    name: "K24 open runs are forgotten from one look to the next",
    file: `${JOBS}/records/close-orphans.ts`,
    search: 'const { version = "0", open: before = [] } = seen ?? {};',
    replace: 'const { version = "0" } = seen ?? {};\n  const before: SeenValue["open"] = [];',
    why: "a run that loses its lock later stays open until the full look",
    tests: [`${JOBS}/records/time-index.test.ts`],
  },
  {
    name: "K26 a history ends with a window of time that is not full",
    file: `${JOBS}/records/history.ts`,
    search: "if (after <= from) return;",
    replace: "return;",
    why: "the history shows the last hour as all there is",
    tests: [`${JOBS}/records/time-index.test.ts`],
  },
  {
    name: "K27 a record that ojm did not write hides those read with it",
    file: `${JOBS}/records/read.ts`,
    search: "return Promise.all(keys.map((key) => recordUnder(jobs, key)));",
    replace: "return keys.map(() => undefined);",
    why: "one damaged entry hides a hundred runs from the history, and prune leaves them",
    tests: [`${JOBS}/records/history.test.ts`, `${JOBS}/records/time-index.test.ts`],
  },
  {
    name: "K25 a look that failed keeps its turn",
    file: `${JOBS}/records/housekeeping.ts`,
    search: "if (saw === undefined) this.#turn?.giveUp();",
    replace: "",
    why: "a process that cannot reach the locks keeps all others from looking",
    tests: [`${JOBS}/records/orphans.test.ts`],
  },
];

export const equivalent: readonly Equivalent[] = [
  {
    file: `${JOBS}/records/history.ts`,
    operator: "?? to its left",
    text: "page.at(-1)?.key ?? before",
    why: "it is missing only when a page was empty, and then no other one is asked for",
  },
  {
    file: `${JOBS}/records/close-orphans.ts`,
    operator: "drop statement",
    text: "throw error;",
    line: "if (!isCorrupt(error)) throw error;",
    why: "a store that is away is away for the next read, too, and what cannot be asked may be held: nothing is closed either way",
  },
  {
    file: `${JOBS}/records/record.ts`,
    operator: "<= to <",
    text: "<=",
    line: "const fits = text.length * 3 + ROOM <= most || Buffer.byteLength(text) + ROOM <= most;",
    why: "two mutants: the first half only saves counting, and a record is as good with a byte less",
  },
  {
    file: `${JOBS}/records/housekeeping.ts`,
    operator: "1 to 0",
    text: "1",
    line: "const JITTER = 1;",
    why: "a random delay: without it the looks of processes that began together fall together, and are as good",
  },
  {
    file: `${JOBS}/records/housekeeping.ts`,
    operator: "* to /",
    text: "*",
    line: "const jitter = JITTER * this.#ttl * chance(this.#clock);",
    why: "the first of two: next to no delay, as without the random one; the second one is K15",
  },
];
