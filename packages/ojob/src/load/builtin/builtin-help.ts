import type { Position } from "../../text/problem.js";
import type { Help } from "../job-file.js";

/** An argument: its name, its purpose, and an example. A star marks a mandatory one. */
type Row = readonly [name: string, desc: string, example?: string];

interface Entry {
  readonly text: string;
  readonly expects?: readonly Row[];
  readonly returns?: readonly Row[];
}

/** What `--jobhelp` shows of the jobs that come with ojm. */
const HELP: Readonly<Record<string, Entry>> = {
  "oJobManager Init": {
    text: "Opens the channels in which runs are recorded and locks are held. If that fails, no managed job runs.",
    expects: [
      ["chJobs", "the channel of the records. Default: in memory", "{type: sqlite, args: {file: ./data/jobs.db}}"],
      ["chLocks", "the channel of the locks. Default: in memory", "{type: sqlite, args: {file: ./data/locks.db}}"],
      ["chLogs", "the channel of the logs of runs. Default: chJobs", "{type: sqlite, args: {file: ./data/logs.db}}"],
      ["logBudget", "how much of the log of a run is kept. Default: by the store", "{head: 65536, tail: 262144}"],
      ["retention", "which records of runs are kept. Default: 90 days, and the newest 100 of a name", "{keep: 500}"],
    ],
  },
  "oJobManager Job Start": {
    text: `Takes the lock of a name, waiting up to 2.5 seconds for it, and records that the run started. Fails if another holds it.
Stands under "from". Calls oJobManager Init if nobody did.`,
    expects: [
      ["name*", "the name of the lock and of the run", "daily-report"],
      ["timeout", "the longest the run may hold the lock, in milliseconds. Default: one hour", "3600000"],
    ],
  },
  "oJobManager Job End": {
    text: 'Records that the run ended well, and releases its lock. Stands under "to".',
    expects: [["name*", "the name given to oJobManager Job Start", "daily-report"]],
  },
  "oJobManager Error": {
    text: 'Records that the runs of this job failed, and releases their locks. Stands under "catch".',
    expects: [
      ["name", "only the run of this name; for calls by $job"],
      ["e", "the error; for calls by $job"],
    ],
  },
};

/** The help of a job that comes with ojm. */
export function builtinHelp(job: string, at: Position): Help | undefined {
  const entry = Object.hasOwn(HELP, job) ? HELP[job] : undefined;
  if (entry === undefined) return undefined;
  const row = ([name, desc, example]: Row) => ({
    name: name.replace(/\*$/, ""),
    at,
    desc,
    mandatory: name.endsWith("*"),
    secret: false,
    ...(example !== undefined && { example }),
  });
  return { text: entry.text, expects: (entry.expects ?? []).map(row), returns: (entry.returns ?? []).map(row) };
}
