import { type Position, SourceFile } from "../text/problem.js";
import { BASICS } from "./basics.js";
import type { Help, JobDefinition } from "./job-file.js";

/** Files that come with ojm and are job files like any other. */
const TEXTS: Readonly<Record<string, string>> = { "oJobBasics.yaml": BASICS };

/* The jobs of oJob Director. */
export const DIRECTOR_INIT = "oJob Director init";
export const DIRECTOR_CHECK = "oJob Director check";
export const DIRECTOR_CHECKIN = "oJob Director checkin";
export const DIRECTOR_CHECKOUT = "oJob Director checkout";
export const DIRECTOR_WAIT = "oJob Director wait";

export interface BuiltinFile {
  readonly source: SourceFile;
  readonly jobs: readonly JobDefinition[];
}

export function builtinFile(file: string): BuiltinFile | undefined {
  const names = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
  if (names === undefined) return undefined;
  const source = new SourceFile(file, file, "");
  const at = { source, line: 1, column: 1 };
  const jobs = names.map(
    (name): JobDefinition => ({
      name,
      at,
      args: [],
      argsAt: {},
      from: [],
      to: [],
      catch: [],
      deps: [],
      each: [],
      type: "simple",
      typeArgs: {},
      typeArgsAt: {},
      check: {},
      checkAt: {},
      help: builtinHelp(name, at),
      builtin: name,
    }),
  );
  return { source, jobs };
}

export function builtinSource(file: string): SourceFile | undefined {
  const text = Object.hasOwn(TEXTS, file) ? TEXTS[file] : undefined;
  return text === undefined ? undefined : new SourceFile(file, file, text);
}

export function builtinFiles(): string[] {
  return [...Object.keys(FILES), ...Object.keys(TEXTS)];
}

/** The built-in file that has a job of this name, for the hint to include it. */
export function builtinFileOf(job: string): string | undefined {
  const line = `  - name: ${job}`;
  return (
    Object.keys(FILES).find((file) => FILES[file]?.includes(job)) ??
    Object.keys(TEXTS).find((file) => TEXTS[file]?.split("\n").includes(line))
  );
}

/** An argument: its name, its purpose, and an example. A star marks a mandatory one. */
type Row = readonly [name: string, desc: string, example?: string];

interface JobHelp {
  readonly text: string;
  readonly expects: readonly Row[];
}

const MANAGER_HELP: Readonly<Record<string, JobHelp>> = {
  "oJobManager Init": {
    text: "Opens the channels in which runs are recorded and locks are held. If that fails, no managed job runs.",
    expects: [
      ["chJobs", "the channel of the records. Default: in memory", "{type: sqlite, args: {file: ./data/jobs.db}}"],
      ["chLocks", "the channel of the locks. Default: in memory", "{type: sqlite, args: {file: ./data/locks.db}}"],
      ["chLogs", "the channel of the logs of runs. Default: chJobs", "{type: sqlite, args: {file: ./data/logs.db}}"],
      [
        "logBudget",
        "how much of the log of a run is kept. The default depends on the store",
        "{head: 65536, tail: 262144}",
      ],
      ["retention", "which records of runs are kept. Default: 90 days, and the newest 100 of a name", "{keep: 500}"],
    ],
  },
  "oJobManager Job Start": {
    text: `Takes the lock of a name, waiting up to 2.5 seconds for it, and records that the run started. Fails if another holds it.
Stands under "from". Calls oJobManager Init if that has not run.`,
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

const ENTRY: readonly Row[] = [
  ["jobName*", "what the work is called", "order-processing"],
  ["jobUUID*", "the id of one piece of it", "{{orderId}}"],
];

const DIRECTOR_HELP: Readonly<Record<string, JobHelp>> = {
  [DIRECTOR_INIT]: {
    text: "Names the channel of the check-ins. Without a channel of that name, it opens one in the store of oJobManager Init, or in memory.",
    expects: [
      ["ch", "the name of the channel. Default: oJob::check", "myapp::coordination"],
      ["stamp", "the fields that mark the entries. Default: {type: director}", "{type: director, app: myapp}"],
      ["keep", "how long an entry that is done stays. Default: until it is removed", "30d"],
    ],
  },
  [DIRECTOR_CHECKIN]: {
    text: 'Runs the job only if this name and id are not done, and no other process works on them. Stands under "from".',
    expects: [
      ...ENTRY,
      ["timeout", "the longest the work may take, in milliseconds. Default: one hour", "3600000"],
      ["wait", "how long to wait for another process that works on it, in milliseconds. Default: 0", "60000"],
    ],
  },
  [DIRECTOR_CHECKOUT]: {
    text: "Marks a name and id as done, with a result. Without it, the end of the job does so.",
    expects: [...ENTRY, ["result", "what the entry stores", "{processed: 3}"]],
  },
  [DIRECTOR_CHECK]: {
    text: 'Under "from", skips the job if this name and id are done. By $job, returns the entry, or nothing.',
    expects: ENTRY,
  },
  [DIRECTOR_WAIT]: {
    text: "Waits until a name and id are done. The entry is in args.job then.",
    expects: [
      ...ENTRY,
      ["jobWaitRetry", "how many times jobWaitTime it waits. Default: 40", "40"],
      ["jobWaitTime", "in milliseconds. Default: 1500", "1500"],
    ],
  },
};

const QUEUE_ROW: Row = ["queue", "the name of the queue. Default: that of the first oJob Queue Manager", "mail"];

const QUEUE_HELP: Readonly<Record<string, JobHelp>> = {
  "oJob Queue Manager": {
    text: `Takes the items of a queue, and runs the job that each of them names. It ends with the job file.
Write "daemon: true" under "ojob" to keep the file running.`,
    expects: [
      ["name", 'the name of the queue. Default: "queue"', "mail"],
      [
        "type",
        "the type of the store. Default: the store of oJobManager Init, else the memory of this process",
        "sqlite",
      ],
      ["args", "the options of that store", "{file: ./data/queue.db}"],
      ["concurrency", "how many items this process handles at once. Default: the number of slots", "10"],
      ["attempts", "the most attempts of an item whose job fails. Default: 1", "3"],
      ["delay", "the time between a failed attempt and the next one, in milliseconds. Default: 1000", "5000"],
      ["backoff", '"fixed", or "exponential": each delay is twice the one before. Default: exponential', "fixed"],
      ["timeout", "the longest an attempt may take, in milliseconds. Default: one hour", "60000"],
      ["permits", "at most this many items at once on all machines, by name", "{smtp: 10}"],
      ["rate", "how often attempts may begin, on all machines", "{max: 100, per: 60000}"],
      ["perGroup", "the most items of one group that are handled at once", "1"],
      ["dead", "how long items that failed are stored. Default: 14 days", "{keep: 7d}"],
      ["queueDelete", "false: only oJob Queue Delete completes an item. Default: true", "false"],
      ["queueTimeout", "without effect: a worker shows that it lives every few seconds"],
      ["queuePeriod", "without effect: the store wakes the worker"],
    ],
  },
  "oJob Queue Add": {
    text: 'Adds an item to a queue, and sets "idx", the id of the item, among the args.',
    expects: [
      ["job*", "the job that handles the item", "Send Email"],
      ["data*", "the arguments of that job, a map", "{to: ana@example.org}"],
      ["timeout", "the longest an attempt may take, in milliseconds", "10000"],
      QUEUE_ROW,
      ["type", "the type of the store, for a job file without oJob Queue Manager", "sqlite"],
      ["args", "the options of that store", "{file: ./data/queue.db}"],
      ["priority", "from -100 to 100. Items of a higher priority are taken first. Default: 0", "10"],
      ["delay", "how long the item waits before it can be taken, in milliseconds", "60000"],
      ["at", "when it can be taken, in milliseconds since 1970", "1790000000000"],
      ["ttl", "the item is dropped if no worker has taken it by then, in milliseconds", "3600000"],
      [
        "unique",
        "a key: no item is added while another one has it. As {key, replace: true}, that one gets the data",
        "order-4711",
      ],
      ["group", "groups are served in turn", "customer-7"],
    ],
  },
  "oJob Queue Delete": {
    text: "Completes the item that this process handles, or removes one that waits.",
    expects: [["idx*", "the id of the item, or a number: 0 is the item that is next", "{{idx}}"], QUEUE_ROW],
  },
  "oJob Queue Rules": {
    text: "Adds an item for the job of each rule that is true. {{x}} in a rule is a variable, never text.",
    expects: [
      ["rules", "a list of rules with their jobs", "[{rule: '{{total}} > 1000', job: Check}]"],
      ["data", 'the data of the items, whose fields the rules use. "{{@}}": all args', "{total: 5000}"],
      ["logFn", "a function that is called for each rule that is true, instead of the log line"],
      ["errFn", "a function that is called for each rule that fails; the job does not fail then"],
      QUEUE_ROW,
    ],
  },
  "oJob Queue Report": {
    text: 'Logs how many items a queue has, and its last dead letters. Sets "report" among the args.',
    expects: [QUEUE_ROW],
  },
  "oJob Queue Stop": {
    text: "Takes no further item of a queue in this process, and waits for the jobs that handle one.",
    expects: [QUEUE_ROW],
  },
  "oJob Queue Retry": {
    text: 'Makes dead letters wait again, and sets "retried", their number, among the args.',
    expects: [
      ["idx", "the id of one item. Default: all dead letters", "{{idx}}"],
      ["rate", "spreads them over time", "{max: 10, per: 60000}"],
      ["limit", "the most items", "100"],
      QUEUE_ROW,
    ],
  },
};

const HELP_OF: Readonly<Record<string, Readonly<Record<string, JobHelp>>>> = {
  "oJobManager.yaml": MANAGER_HELP,
  "oJobDirector.yaml": DIRECTOR_HELP,
  "oJobQueue.yaml": QUEUE_HELP,
  // Its jobs are read as shortcuts, whether a file includes it or not.
  "ojob.yaml": {},
};

const FILES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(HELP_OF).map(([file, jobs]) => [file, Object.keys(jobs)]),
);

function builtinHelp(job: string, at: Position): Help {
  const { text = "", expects = [] } = MANAGER_HELP[job] ?? QUEUE_HELP[job] ?? DIRECTOR_HELP[job] ?? {};
  const row = ([name, desc, example]: Row) => ({
    name: name.replace(/\*$/, ""),
    at,
    desc,
    mandatory: name.endsWith("*"),
    secret: false,
    ...(example !== undefined && { example }),
  });
  return { text, expects: expects.map(row), returns: [] };
}
