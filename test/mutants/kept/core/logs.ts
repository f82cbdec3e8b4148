import type { NamedMutant } from "../../types.js";

const LOGS = "packages/core/src/jobs/logs";

/** Mutants of the logs of runs. */
export const named: readonly NamedMutant[] = [
  {
    name: "G01 a chunk whose commit failed is not written again",
    file: `${LOGS}/write/log-writer.ts`,
    search: "this.#outgoing ??= this.#next(store);",
    replace: "this.#outgoing = this.#next(store);",
    why: "a moment without the store costs lines, though there was room for them in memory",
    tests: [`${LOGS}/write-log.test.ts`],
  },
  {
    name: "G02 a chunk tells only what was dropped right before it",
    file: `${LOGS}/write/log-writer.ts`,
    search: "this.#dropped = sum(this.#dropped, dropped);",
    replace: "this.#dropped = dropped;",
    why: "readers take lines that were never written for lines that were deleted",
    tests: [`${LOGS}/chaos.test.ts`],
  },
  {
    name: "G03 the lines of a run that failed are deleted too",
    file: `${LOGS}/write/run-trail.ts`,
    search: 'record.status === "completed" || record.status === "skipped"',
    replace: "record.inError !== undefined",
    why: "on etcd, the log that says why a run failed is gone",
    tests: [`${LOGS}/write-log.test.ts`],
  },
  {
    name: "G04 a record is deleted before its log",
    file: `${LOGS}/prune-logs.ts`,
    search: "  if (keys.length <= room)",
    replace: "  void logs.commit(deletesOf(keys), options).catch(() => {});\n  return [];\n  if (keys.length <= room)",
    why: "after a crash in between, nothing leads to the log any more, and it stays for its time to live",
    tests: [`${LOGS}/read-log.test.ts`],
  },
  {
    name: "G05 a prune deletes the logs of runs that stay",
    file: `${LOGS}/prune-logs.ts`,
    search: "if (run !== undefined && wanted.has(run.startTime)) yield key;",
    replace: "if (run !== undefined) yield key;",
    why: "a run that ended late loses its log with its neighbours",
    tests: ["packages/core/src/jobs/records/prune.test.ts"],
  },
];
