import type { Kept, NamedMutant } from "../types.js";

const OJOB = "packages/ojob/src";

const named: readonly NamedMutant[] = [
  {
    name: "P01 a relative path of a job file begins at the working directory",
    file: `${OJOB}/text/said-path.ts`,
    search: "return resolve(dirname(source.path), path);",
    replace: "return resolve(path);",
    why: "the same file started from two folders uses two stores, and runs twice at once",
    tests: [`${OJOB}/plan/manager/channel-paths.test.ts`],
  },
  {
    name: "P02 a path of the command line begins at the folder of the file",
    file: `${OJOB}/plan/manager/channel-paths.ts`,
    search: "if (isTyped(path, asWritten, saying.typed)) return resolve(path);",
    replace: "",
    why: "the file that a user names on the command line is not the one that is used",
    tests: [`${OJOB}/plan/manager/channel-paths.test.ts`],
  },
  {
    name: "P03 a look at a store that is not there makes it",
    file: `${OJOB}/inspect/manager.ts`,
    search: 'if (typeof path !== "string" || existsSync(path)) continue;',
    replace: "continue;",
    why: "a history of the wrong store looks like one without runs",
    tests: [`${OJOB}/inspect/manager.test.ts`],
  },
  {
    name: "P04 a template that is left in a lock name is taken literally",
    file: `${OJOB}/plan/manager/run-args.ts`,
    search: "if (template === undefined) return undefined;",
    replace: "return undefined;",
    why: "all runs share one lock, whatever it was to tell apart",
    tests: [`${OJOB}/plan/manager/lock-names.test.ts`],
  },
  {
    name: "P05 a job goes on after a step although its lock is lost",
    file: `${OJOB}/execute/job/step/step-runner.ts`,
    search: "return interruption.stop === undefined && interruption.since(ends).every(within);",
    replace: "return true;",
    why: "the next steps do their work while the next holder of the lock does it too",
    tests: [`${OJOB}/execute/job/step/step-runner.test.ts`],
  },
  {
    name: "P06 a secret that comes in two pieces is shown",
    file: `${OJOB}/text/masking/masker.ts`,
    search: "while (end < text.length && !this.#mayBegin(text.slice(end))) end++;",
    replace: "end = text.length;",
    why: "output of processes is cut anywhere, so the secret of a job is in the log",
    tests: [`${OJOB}/text/masking/masker.test.ts`],
  },
  {
    name: "P07 a variable of one job stays for the next job of its thread",
    file: `${OJOB}/script/worker/state/environment.ts`,
    search: "if (fresh) restore();",
    replace: "",
    why: "a job finds the settings and the secrets of another one, by chance",
    tests: [`${OJOB}/script/worker/state/environment.test.ts`],
  },
  {
    name: "P08 the log of a run has lines with their secrets",
    file: `${OJOB}/output/job-output.ts`,
    search: "this.#record(level, this.#log.scriptLine(level, message, time, this.#job));",
    replace: "this.#log.scriptLine(level, message, time, this.#job);\n    this.#record(level, message);",
    why: "a secret is in the store for two weeks",
    tests: [`${OJOB}/execute/run-logs.test.ts`],
  },
  {
    name: "P09 what a called job prints is not in the log of its caller's run",
    file: `${OJOB}/execute/runtime/open-runs.ts`,
    search: "if (this.#parent !== undefined) yield* this.#parent.around();",
    replace: "",
    why: "the log of a run that failed lacks the reason",
    tests: [`${OJOB}/execute/run-logs.test.ts`],
  },
  {
    name: "P10 the alerts are closed after the job manager",
    file: `${OJOB}/execute/runtime/managers.ts`,
    search: "await this.notifier?.close();",
    replace: "await manager?.close();\n      await this.notifier?.close();",
    why: "what the last job caused is told by nobody, until another process runs",
    tests: [`${OJOB}/execute/notify.test.ts`],
  },
  {
    name: "P11 a process runs a tick that another one has run",
    file: `${OJOB}/execute/attempts/tick-claim.ts`,
    search: "if (at < this.tick.at || at > this.#clock.now() + DAY) return;",
    replace: "return;",
    why: "a job whose name a script decides runs once for each process",
    tests: [`${OJOB}/execute/attempts/tick-claim.test.ts`],
  },
  {
    name: "P12 a run that is replaced while it waits for a slot is recorded as skipped",
    file: `${OJOB}/execute/triggers/schedule/scheduled-runs.ts`,
    search: "if (run.signal.aborted) return stopped(outcome.reason);",
    replace: "",
    why: "the record says that there was nothing to do, and the tick was cancelled",
    tests: [`${OJOB}/execute/triggers/schedule-words.test.ts`],
  },
  {
    name: "P13 a job keeps its slot between two attempts",
    file: `${OJOB}/execute/attempts/pause.ts`,
    search: "this.#takeBack ??= this.#dispatch.lend(this.#order);",
    replace: "",
    why: "a few jobs that wait an hour for their next attempt stop all others",
    tests: [`${OJOB}/execute/attempts/run-attempts.test.ts`],
  },
];

/** What is kept of job files. */
export const ojob: Kept = { named, equivalent: [], slow: [], last: [] };
