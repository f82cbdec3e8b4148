import type { CommandGroups, CommandSpec, OptionSpecs } from "./spec.js";

const STORE: OptionSpecs = {
  store: {
    value: "STORE",
    common: true,
    text: "redis://HOST, sqlite:FILE, etcd://HOST,HOST, postgres://HOST/DATABASE, level:FOLDER or a job file. A relative path begins at the working folder. Default: OJM_STORE, then OJM_CONFIG, then ojm.config.{json,yaml}",
  },
  profile: { value: "NAME", common: true, text: "the store of this profile of ojm.config" },
};

const COLOR: OptionSpecs = {
  color: {
    value: "WHEN",
    choices: ["auto", "always", "never"],
    common: true,
    text: "colors: auto (default: on a terminal without NO_COLOR), always or never",
  },
};

const JSON_OUTPUT: OptionSpecs = {
  json: { common: true, text: "print JSON" },
  jsonl: { common: true, text: "print a line of JSON for each item" },
};

const OUTPUT: OptionSpecs = {
  ...JSON_OUTPUT,
  time: {
    value: "HOW",
    choices: ["relative", "iso", "local"],
    common: true,
    text: "times as relative (default on a terminal), iso (default elsewhere) or local",
  },
  ...COLOR,
};

const REASON: OptionSpecs = {
  reason: { value: "TEXT", text: "the reason, for the people affected. On a terminal, ojm asks for it" },
};

const COMMON = { ...STORE, ...OUTPUT } as const;

const DRY = { "dry-run": { text: "show what would be done, and to whom; do nothing" } } as const;

const NEW_QUEUE = { text: "accept the name of a new queue, even if it resembles that of another one" } as const;

const PATTERNS = `A pattern is a name with *, which stands for any characters; quote it for the shell. It means those names that the command can act on.
For several names, there is one reason, a line for each name, and the exit code of the first that failed; the others are done.`;

const load = {
  value: "FILE|PACKAGE",
  text: "a JavaScript file, or a package such as @ojm/openaf, whose functions the scripts may call; may be given several times",
} as const;

/** The commands, in the order of the help. Each is loaded only when it is called. */
export const groups: CommandGroups = [
  [
    "Job files",
    [
      {
        name: "run",
        operands: "FILE [key=value …]",
        summary: "run the todo of a job file, or one of its jobs",
        about: `key=value is an argument for the jobs. An argument that the file sets takes precedence. Numbers, true and false are
parsed as such, except for a file that loads @ojm/openaf. Relative paths in key=value start at the working directory; those in
the file start at its folder.`,
        examples: ["ojm run jobs.yaml", "ojm run jobs.yaml --job report month=11"],
        codes: [5, 129, 130, 143, "another"],
        load: () => import("../commands/run.js"),
        options: {
          job: {
            value: "JOB",
            text: "run only this job, once, after the jobs that it depends on; may be given several times. A job of the todo has the args of that item, and the job manager opens as the todo says; a file without a todo is fine. No schedule starts, and no pid file is taken. The daemon of the file may be running: both use the same locks",
          },
          "dry-run": {
            text: "show what would run, in which order, with which arguments, variables, steps and locks, and when a schedule is due next; run no script and open no store. Of variables and secrets it shows only the names",
          },
          load,
          "log-prefix": {
            value: "WHAT",
            choices: ["none", "job", "time", "both"],
            text: "what stands before each line that a job prints or logs: the job as [NAME], the time, or both. Output is held until the end of its line, so that concurrent jobs do not write into each other's lines. Default: none",
          },
          metrics: {
            value: "HOST:PORT",
            text: "while it runs, serve /metrics for Prometheus, /healthz and /readyz there. Without HOST: 127.0.0.1. At another address, every host that reaches it can read the names of the jobs",
          },
          strict: { text: "treat warnings about the file as errors: with a warning, nothing is run" },
          help: { short: "h", text: "show the help of the file: what it does, its arguments and its jobs" },
          jobhelp: { value: "JOB", text: "show the help of one of its jobs, or of one that comes with ojm" },
        },
      },
      {
        name: "check",
        operands: "FILE [key=value …]",
        summary: "find what is wrong with a job file, and run nothing",
        about: `Finds everything that is wrong with a job file and with those that it includes: keys, values, names of jobs, scripts.
Ends with 0 if it can be run, and 2 if not. key=value is an argument as it would be given to ojm run.`,
        examples: ["ojm check jobs.yaml --strict"],
        load: () => import("../commands/check.js"),
        options: { load, strict: { text: "treat warnings as errors" } },
      },
      {
        name: "schema",
        operands: "[postgres]",
        summary: "print the JSON Schema of job files, or the SQL of a store",
        about: `Without an operand, it prints the JSON Schema of job files. With it, editors complete and check job files:

  ojm schema > job-file.schema.json

and as the first line of a job file, for editors that use the YAML language server:

  # yaml-language-server: $schema=job-file.schema.json

ojm schema postgres prints the SQL by which an administrator creates the tables in advance, or brings them up to date. The
processes then need no right to create anything:

  psql app -c "create role worker login password 'secret'"
  ojm schema postgres --role worker | psql app -v ON_ERROR_STOP=1 --single-transaction`,
        examples: ["ojm schema > job-file.schema.json", "ojm schema postgres --schema ojm --role worker > ojm.sql"],
        load: () => import("../commands/schema.js"),
        options: {
          schema: { value: "SCHEMA", text: "of postgres: the schema with the tables. Default: ojm" },
          role: {
            value: "ROLE",
            text: "of postgres: an existing role, which gets the rights that a process needs. Default: none, for a user that owns the tables",
          },
        },
      },
    ],
  ],
  [
    "Look",
    [
      {
        name: "ps",
        operands: "[NAME]",
        summary: "what runs now: where, since when, how long it usually takes, who waits",
        about: `Also shows the progress and the attempt of each run, who asked it to stop, and the jobs that wait for their next attempt. Without
--watch, also the runs that wait for permits or a rate.`,
        examples: ["ojm ps --watch"],
        codes: [3],
        load: () => import("../commands/look/ps/ps.js"),
        options: {
          watch: {
            short: "w",
            text: "keep running and show every change, until Ctrl-C. Only on a terminal, and without --json",
          },
          ...COMMON,
        },
      },
      {
        name: "top",
        operands: "",
        summary:
          "a live screen: problems first, then what is running, then what comes next; with keys for details and actions",
        about: `Problems have one row for each job, or one for all jobs that failed with equal errors (Enter opens it). Below them are active
runs, retries with their reasons, and the next ticks.

Keys: up and down select, Enter shows why, what helps and the log, c cancels and asks why, p pauses or resumes, / filters, ? helps, q ends.

It follows the store by watches. If the store is quiet for 5 s, it reads one entry, to check that the store is there.`,
        examples: ["ojm top --store redis://jobs.example.com:6379"],
        load: () => import("../commands/look/top/top.js"),
        options: {
          "read-only": { text: "keys that change something do nothing" },
          ...STORE,
          ...COLOR,
        },
      },
      {
        name: "jobs",
        operands: "[NAME]",
        summary: "each job: when it is due next, how it ended last, how long it takes, its streak",
        about: `Also shows why its next tick will be skipped, and its schedule in words. A streak of 50+ means all of the last 50 attempts.`,
        examples: ["ojm jobs --time local", "ojm jobs --slower"],
        codes: [3],
        load: () => import("../commands/look/jobs.js"),
        options: {
          slower: {
            text: "first the jobs that became slowest: their median duration of the last 7 days against that of the 7 days before",
          },
          ...COMMON,
        },
      },
      {
        name: "next",
        operands: "[NAME]",
        summary: "the coming ticks of a schedule, or the next one of each",
        about: `Shows each tick in the zone of its schedule too. If a tick will be skipped, it shows the reason: a pause, a blackout, a hold. If no
process runs the schedule, it shows the outcome that the tick will have. The first row has the number of earlier ticks that wait.`,
        examples: ["ojm next nightly-report --limit 3"],
        codes: [3],
        load: () => import("../commands/look/next.js"),
        options: {
          limit: {
            value: "N",
            short: "n",
            text: "the most ticks to show; without NAME, of all schedules together. Default: 10 of NAME, or the next one of each schedule",
          },
          ...COMMON,
        },
      },
      {
        name: "why",
        operands: "NAME|RUN",
        summary: "why a job does not run now, did not run at a time, or why a run failed or was slow, and what helps",
        about: `Each reason has the command that helps, the most important one first. If nothing blocks the job, the first line says so. With --at: the
outcome of the tick of that minute, and the run that was active. With the id of a run: how it ended, how long it took compared with the runs
before it, and what has changed since the last one that completed.`,
        examples: ["ojm why nightly-report", "ojm why nightly-report --at 02:00"],
        codes: [3],
        load: () => import("../commands/look/why.js"),
        options: {
          at: {
            value: "TIME",
            text: "ask about this minute: a time such as 02:00 or 2026-11-25T02:00Z, or how long ago, such as 8h",
          },
          ...COMMON,
        },
      },
      {
        name: "ticks",
        operands: "NAME",
        summary: "the outcome of each tick of a schedule, and why, newest first",
        about: `A tick is run, skipped (the job was running or on hold, or its schedule paused or in a blackout), missed (no process was there in time), refused,
waiting (its run begins when those before it have ended: overlap queue or replace, missed all), or overdue: no process has
decided on it a minute after it was due. Ticks that were decided together and not run for the same reason share one row. A column shows the
hosts that decided, if one is another machine. Outcomes are stored for 30 days.`,
        examples: ["ojm ticks nightly-report --not-run --since 7d"],
        codes: [3],
        load: () => import("../commands/look/ticks.js"),
        options: {
          "not-run": { text: "only those that were not run so far" },
          skipped: { text: "only those that were skipped" },
          missed: { text: "only those that were missed" },
          since: {
            value: "TIME",
            text: "only ticks since: a duration such as 2h, a time of day such as 02:00, or a time in ISO 8601",
          },
          until: { value: "TIME", text: "only ticks before" },
          limit: { value: "N", short: "n", text: "the most rows to show. Default: 20" },
          ...COMMON,
        },
      },
      {
        name: "runs",
        operands: "[NAME]",
        summary: "the last runs, newest first",
        about: "A column shows the hosts if a run is of another machine.",
        examples: ["ojm runs nightly-report --failed --since 2d"],
        codes: [3],
        load: () => import("../commands/look/runs/runs.js"),
        options: {
          failed: {
            text: "only those that did not complete: failed, timeout, lost, cancelled; with --by-name, without cancelled",
          },
          status: {
            value: "STATUS",
            choices: ["running", "completed", "skipped", "failed", "timeout", "cancelled", "lost"],
            text: "only those with this status; may be given several times",
          },
          since: {
            value: "TIME",
            text: "only those that began since: a duration such as 2h, a time of day such as 02:00, or a time in ISO 8601",
          },
          until: { value: "TIME", text: "only those that began before" },
          "by-name": {
            text: "each name once: its newest run, how it ended if that differs, how many it has, and since when. A job that fails every minute does not hide the others",
          },
          before: {
            value: "RUN",
            text: "only runs older than this one: give the last id of a page to see the next page",
          },
          limit: { value: "N", short: "n", text: "the most runs to show. Default: 20" },
          ...COMMON,
        },
      },
      {
        name: "show",
        operands: "RUN",
        summary: "everything about a run: RUN is its id, the beginning of one, or a name for its last run",
        about: `Its error with the stack, attempts, whether it was handed over, tick, args, meta, versions, and who ended it or
asked it to stop, and why.`,
        examples: ["ojm show nightly-report"],
        codes: [3],
        load: () => import("../commands/look/runs/show.js"),
        options: COMMON,
      },
      {
        name: "logs",
        operands: "RUN",
        summary: "the log of a run, from any machine: RUN as for ojm show",
        about: `Control characters and escape sequences are shown escaped, so that a log cannot control the terminal. --raw writes the lines as they are.
etcd stores no log of a run that completed.`,
        examples: ["ojm logs nightly-report --follow"],
        codes: [3],
        load: () => import("../commands/look/runs/logs.js"),
        options: {
          follow: { short: "f", text: "keep printing until the run ends" },
          tail: { value: "N", short: "n", text: "only the last N lines" },
          raw: { text: "write control characters and escape sequences as they are: the terminal obeys them" },
          ...COMMON,
        },
      },
      {
        name: "diff",
        operands: "RUN [RUN]",
        summary: "compare two runs, or a run with the last success before it: facts, durations of steps, logs",
        about: `Lines of the logs are equal if they differ only in numbers, times, ids and colors. Of each log, the first 20,000 lines are compared.
A step is the time from one common line to the next: the five whose durations differ most are shown.`,
        examples: ["ojm diff nightly-report"],
        codes: [3],
        load: () => import("../commands/look/runs/diff.js"),
        options: { ...STORE, ...COLOR },
      },
      {
        name: "wait",
        operands: "RUN",
        summary: "wait for a run and its further attempts to end; the exit code is that of the last one",
        about: "If no process makes the next attempt, it ends with 1.",
        examples: ["ojm wait nightly-report --timeout 10m"],
        codes: [3, 8, 124],
        load: () => import("../commands/look/runs/wait.js"),
        options: {
          attempt: { text: "wait for this attempt alone" },
          timeout: { value: "TIME", text: "wait no longer than this, such as 10m. Ends with 8 then" },
          ...COMMON,
        },
      },
      {
        name: "history",
        operands: "[FILE]",
        summary: "the last runs of the job manager that a job file sets up, in the form of ojm runs",
        about: `Each run has its error, and the failures of steps after which it continued (continueOnError). If NAME never ran, it prints that, and
which names have runs. It does not create a store: if the store does not exist, it prints its path and ends with 2.`,
        examples: ["ojm history jobs.yaml --limit 5"],
        load: () => import("../commands/look/runs/history.js"),
        options: {
          name: { value: "NAME", text: "only the runs of this name (args.name of the job)" },
          limit: { value: "N", short: "n", text: "the most runs to show. Default: 20" },
          ...COMMON,
        },
      },
      {
        name: "locks",
        operands: "[NAME|FILE]",
        summary:
          "the held locks with their holders and waiters, and the free locks of recent runs; of a store, of one job, or of a job file",
        about: "It does not create a store: if the store does not exist, it prints its path and ends with 2.",
        examples: ["ojm locks"],
        codes: [3],
        load: () => import("../commands/look/locks.js"),
        options: COMMON,
      },
      {
        name: "audit",
        operands: "[NAME]",
        summary: "who unlocked, cancelled, held, limited, paused, resumed, ran, backfilled or pruned what, and why",
        about: `Also who started or ended a maintenance, and who retried, discarded, redrove, purged, paused or resumed what of a queue: the
actions maintenance, end-maintenance and queue-…. A person is shown as user@host.`,
        examples: ["ojm audit nightly-report"],
        codes: [3],
        load: () => import("../commands/look/audit.js"),
        options: { limit: { value: "N", short: "n", text: "the most entries to show. Default: 20" }, ...COMMON },
      },
      {
        name: "doctor",
        operands: "",
        summary: "check the health of the store, its locks, runs and schedules, and say what to do about problems",
        about: `Checks round trips, versions, clocks, sessions, locks without runs, schedules without a process, overdue ticks, orphaned
attempts and commands, holds and pauses. Times some reads and small commits on a channel of its own. Each line is ok, a note, a warning or a problem. Ends with 1 if there is
a problem, and with 5 if the store cannot be reached. All other commands leave out a damaged entry: doctor
names it, with the command that removes it. It also names the versions of ojm in use, by process, and the entries with
values that only a later version knows.`,
        examples: ["ojm doctor"],
        load: () => import("../commands/look/doctor/doctor.js"),
        options: {
          remove: { value: "ENTRY", text: "remove an entry that is damaged, as it is printed here, and no other one" },
          ...COMMON,
        },
      },
      {
        name: "ui",
        operands: "",
        summary: "all of this in a browser, live; needs the package @ojm/ui",
        about: `Serves 127.0.0.1 alone. The link that it prints works once, within a minute: it is exchanged for a cookie. To let
others in, add them with --add-user, and start it with --listen and --users: they sign in with a name and a password. It does not speak
TLS: put a proxy in front of it. With OJM_UI_SECRET, sessions survive a restart. /healthz reports that the
process is alive, and /readyz that the store answers.`,
        examples: [
          "ojm ui --read-only",
          "ojm ui --users ui-users --add-user ana:operate",
          "ojm ui --users ui-users --listen 0.0.0.0:7717",
        ],
        load: () => import("../commands/ui.js"),
        options: {
          port: { value: "PORT", text: "the port. Default: 7717, or a free one if that is taken" },
          listen: {
            value: "HOST:PORT",
            text: "the address and the port, such as 0.0.0.0:7717. An address that others reach needs --users. Default: 127.0.0.1 alone",
          },
          users: {
            value: "FILE",
            text: "the file of the users, who sign in with a name and a password. A change of it applies at once, to open sessions too",
          },
          "add-user": {
            value: "NAME:ROLE",
            text: "only add a user to the file of --users, or give one a new password, and print the password. ROLE is read, operate or admin. Without it: read",
          },
          "read-only": { text: "reject every action" },
          "show-results": {
            text: "also show the results, args and meta of runs, and the data of queue items. Without it, the UI hides them, because they may contain secrets",
          },
          metrics: {
            text: "serve /metrics for Prometheus to programs on this machine: the metrics of this process, and when each job of the store last completed",
          },
          "base-path": { value: "PATH", text: "the path at which a proxy serves it, such as /ops/ojm" },
          "allow-host": { value: "NAME", text: "the name by which a proxy reaches it; may be given several times" },
          "trust-proxy": {
            text: "trust X-Forwarded-Host, -Proto, -Prefix and -For: only behind a proxy that sets all of them",
          },
          ...STORE,
        },
      },
    ],
  ],
  [
    "Act",
    [
      {
        name: "exec",
        operands: "NAME -- COMMAND …",
        summary: "run any command under the lock of NAME, with a record and a log",
        about: `The output is passed through, and stored as the log of the run. The exit code is that of the command; 75 if the lock is held;
and 76 if --once-per or --tick skips the command: a start on any machine counts, even if its command failed.
The command finds OJM_RUN_ID and OJM_FENCE in its environment. At the timeout, its whole process group gets SIGTERM, and after
the grace SIGKILL. If the lock is lost, the group gets SIGKILL at once. A signal to ojm is passed on to the command, which keeps its lock until it
ends. After a SIGINT, SIGTERM or SIGQUIT, the group gets SIGKILL at the end of the grace, or at a second such signal at least a second later. A command
that still ends with 0 is recorded as completed. If ojm itself is killed, the command runs until it next prints, because its output has no reader.
With "notify" in a config file, ojm sends alerts about its runs.`,
        examples: ["ojm exec nightly-dump --timeout 1h -- pg_dump shop"],
        codes: [75, 76, 124, 129, 130, 143, "another"],
        load: () => import("../commands/exec/exec.js"),
        options: {
          wait: {
            value: "TIME",
            text: "how long to wait for the lock, and for a command whose ojm was killed. Default: 0",
          },
          lock: {
            value: "NAME",
            text: "the lock, if it is not that of the name. Commands with one lock exclude each other",
          },
          permit: {
            value: "NAME=N",
            text: "start only while fewer than N runs of any name have this permit. May be given up to 8 times",
          },
          rate: {
            value: "NAME=N/TIME",
            text: "start only if fewer than N runs with this rate began within TIME, such as smtp=100/1m",
          },
          timeout: { value: "TIME", text: "how long the command may take. Default: 1h" },
          grace: {
            value: "TIME",
            text: "how long it has to end after the SIGTERM of --timeout or of ojm cancel, or after a signal to ojm. Default: 10s",
          },
          retry: { value: "N", text: "the most attempts in all. Between two of them the lock is free" },
          "retry-delay": {
            value: "TIME",
            text: "the wait before the second attempt; before each further one it is twice as long. Default: 1m",
          },
          "once-per": {
            value: "TIME",
            text: "skip the command if a run with the same option started within the last nine tenths of this time: for 1h, within the last 54 min",
          },
          tick: {
            value: "CRON",
            text: "skip the command if a run has started for the last tick of this cron expression, such as '0 2 * * *'",
          },
          "time-zone": { value: "ZONE", text: "the zone of --tick, such as Europe/Lisbon, or local. Default: UTC" },
          "once-key": {
            value: "KEY",
            text: "run the command unless one of the same name has completed with this key: then exit with 0 at once. With --keep",
          },
          keep: { value: "TIME", text: "how long the key of --once-key stays done, such as 30d" },
          ping: {
            value: "URL",
            text: "report the command to a check of healthchecks.io, or of a program like it: its start to URL/start, its end to URL, or to URL/EXITCODE if it failed. A command that did not begin is not reported",
          },
          "quiet-if-locked": {
            text: "say nothing if the lock is held, or --once-per, --tick or --once-key skips the command. If the command of a killed ojm prevents the start, only the first such start reports it",
          },
          ...STORE,
        },
      },
      {
        name: "run-now",
        operands: "NAME|PATTERN [key=value …]",
        summary: "run a schedule now, in the process that has it",
        about: `${PATTERNS}
The arguments are the parameters of the run: its job function finds them in run.args, in each attempt. Numbers, true and
false are parsed as such. In a job file they are in args, over those of the file. The record shows them, so keep secrets elsewhere.
If no process runs the schedule, the command ends with 1 within moments.`,
        examples: ['ojm run-now nightly-report day=2026-11-01 --reason "the file came late"'],
        codes: [3],
        load: () => import("../commands/act/run-now.js"),
        options: { ...REASON, ...DRY, ...COMMON },
      },
      {
        name: "cancel",
        operands: "RUN|PATTERN …",
        summary: "ask a run to stop, on any machine, and wait for its end",
        about: `${PATTERNS}
If the job is waiting for its next attempt, neither that attempt nor a later one is made.`,
        examples: ['ojm cancel nightly-report --reason "wrong month"'],
        codes: [3, 8],
        load: () => import("../commands/act/cancel.js"),
        options: {
          ...REASON,
          wait: { value: "TIME", text: "how long to wait for the end. Default: 10s" },
          ...DRY,
          ...COMMON,
        },
      },
      {
        name: "unlock",
        operands: "NAME",
        summary: "take a lock from its holder, or end a hold",
        about:
          "The run of the holder is closed as cancelled. Its process is notified, but nothing proves that it has stopped.",
        examples: ['ojm unlock nightly-report --reason "its host is gone"'],
        codes: [3],
        load: () => import("../commands/act/unlock.js"),
        options: { ...REASON, ...DRY, ...COMMON },
      },
      {
        name: "hold",
        operands: "NAME|PATTERN …",
        summary: "prevent all runs of a job, for maintenance",
        about: `${PATTERNS}
If a run is in progress, the command ends with 75, or with --wait waits for the end of the run. It creates a SQLite or LevelDB store
that does not exist: a hold may come before the first run. It rejects an unknown name that is close to a known one, and the name of a queue, unless --new is given: ojm queue pause stops the items of a queue.`,
        examples: ['ojm hold nightly-report --reason "the schema changes" --until 2h'],
        codes: [3, 75],
        load: () => import("../commands/act/hold.js"),
        options: {
          ...REASON,
          until: {
            value: "TIME",
            text: "when it ends by itself: a duration such as 2h, a time of day such as 02:00, or a time in ISO 8601. Default: 24h",
          },
          wait: { value: "TIME", text: "how long to wait for the run that is running. Default: 0" },
          new: {
            text: "accept a name without a run or a schedule, even if it resembles a known name, or is that of a queue",
          },
          end: { text: "end the hold; take no lock from a run" },
          ...DRY,
          ...COMMON,
        },
      },
      {
        name: "limit",
        operands: "[PERMIT [N|default]]",
        summary: "show permits with their limits, holders and waiters; with N, set how many runs may have one at once",
        about: `N is from 0 to 1000, in every process, and replaces the numbers that the runs give, until it is set to default. Runs that have the permit keep it.
Without a limit that is set, LIMIT is empty: each run counts with its own.`,
        examples: ["ojm limit", "ojm limit stripe 5", "ojm limit stripe default"],
        codes: [3],
        load: () => import("../commands/act/limit.js"),
        options: { reason: { value: "TEXT", text: "why, for the audit" }, ...COMMON },
      },
      {
        name: "pause",
        operands: "NAME|PATTERN …",
        summary: "pause a schedule: its ticks are skipped until it is resumed",
        about: PATTERNS,
        examples: [
          'ojm pause nightly-report --reason "holidays" --until 7d',
          "ojm pause 'billing/*' --reason \"the bank is closed\" --dry-run",
        ],
        codes: [3],
        load: () => import("../commands/act/pause.js"),
        options: { ...REASON, until: { value: "TIME", text: "when it is resumed by itself" }, ...DRY, ...COMMON },
      },
      {
        name: "resume",
        operands: "NAME|PATTERN …",
        summary: "end the pause of a schedule",
        about: PATTERNS,
        examples: ["ojm resume nightly-report"],
        codes: [3],
        load: () => import("../commands/act/resume.js"),
        options: { reason: { value: "TEXT", text: "why, for the audit" }, ...DRY, ...COMMON },
      },
      {
        name: "maintenance on",
        operands: "[PATTERN]",
        summary: "start no tick and no item of any job or queue, or of those of a pattern",
        about: `Holds in every process, and for a schedule or a queue that is added meanwhile. Runs in progress continue, with their next attempts, unless
--cancel is given. So does what programs and people start themselves: ojm hold prevents that. A single pause stays as it is.
At the end, the missed rule of each schedule decides its late ticks: by default, only the newest of each is run.`,
        examples: [
          'ojm maintenance on --reason "the database moves" --until 2h',
          "ojm maintenance on 'billing/*' --reason \"the bank is closed\" --dry-run",
        ],
        codes: [3],
        load: () => import("../commands/maintenance/on.js"),
        options: {
          ...REASON,
          until: {
            value: "TIME",
            text: "when it ends by itself: a duration such as 2h, a time of day such as 02:00, or a time in ISO 8601",
          },
          cancel: {
            text: "also ask the runs in progress to stop, and end the retry series that wait. An active item of a queue then waits again, and its attempt does not count",
          },
          ...DRY,
          ...COMMON,
        },
      },
      {
        name: "maintenance off",
        operands: "[PATTERN]",
        summary: "end a maintenance; without PATTERN, each one",
        examples: ["ojm maintenance off"],
        codes: [3],
        load: () => import("../commands/maintenance/off.js"),
        options: { reason: { value: "TEXT", text: "why, for the audit" }, ...COMMON },
      },
      {
        name: "maintenance status",
        operands: "",
        summary: "the current maintenance: of what, by whom, why, until when, and how many runs continue",
        examples: ["ojm maintenance status"],
        load: () => import("../commands/maintenance/status.js"),
        options: COMMON,
      },
      {
        name: "schedules",
        operands: "rm NAME",
        summary: "remove a schedule that no program adds any more, such as one that was renamed",
        about: `Ticks that wait or are due get the outcome refused. The runs and the outcomes of its ticks stay. A program that still adds
the schedule adds it again when it starts. Until a retired schedule is removed, ojm doctor reports that no process runs it.`,
        examples: ['ojm schedules rm nightly-report --reason "it is called weekly-report now"'],
        codes: [3],
        load: () => import("../commands/act/schedules.js"),
        options: { ...REASON, ...COMMON },
      },
      {
        name: "backfill",
        operands: "NAME",
        summary: "run the ticks of a past time range",
        about: `The ticks run one after the other. With overlap: skip, ticks that come due during a backfill are skipped.
--status shows the progress of the backfills of a schedule. --stop ends them, in whichever process they run: the
current run continues, and no further one begins.`,
        examples: ['ojm backfill nightly-report --from 2d --reason "the store was away"'],
        codes: [3],
        load: () => import("../commands/act/backfill.js"),
        options: {
          from: {
            value: "TIME",
            text: "the first tick: a duration such as 2h, a time of day such as 02:00, or a time in ISO 8601",
          },
          to: { value: "TIME", text: "run ticks before this. Default: now" },
          again: { text: "also run the ticks that were run before" },
          status: { text: "show the progress of the unfinished backfills" },
          stop: { text: "stop the backfills of the schedule" },
          ...REASON,
          ...COMMON,
        },
      },
      {
        name: "prune",
        operands: "[NAME]",
        summary: "delete the records and logs of runs that ended long ago",
        about: `Needs --older-than, --keep, or both. With --older-than alone, even the newest run of a name may be deleted. With --keep alone, all but the newest N of each name are deleted, whatever their age.
Audit entries are deleted by the same rule, and the audit records who did it. A store also prunes itself: about once a day, it deletes the runs that ended more
than 90 days ago, except the newest 100 of each name. "retention" in the config file, beside "store", changes that.`,
        examples: ["ojm prune --older-than 30d --keep 100"],
        codes: [3],
        load: () => import("../commands/act/prune.js"),
        options: {
          "older-than": { value: "TIME", text: "how long ago, such as 30d" },
          keep: {
            value: "N",
            text: "leave the newest N runs and entries of the audit of each name, however old they are",
          },
          ...DRY,
          ...COMMON,
        },
      },
    ],
  ],
  [
    "Queues",
    [
      {
        name: "queue ls",
        operands: "",
        summary: "the queues of work items: how many wait, are delayed, active or dead, and how many workers",
        about:
          "It counts 10,000 items of each state at most. OLDEST: when the oldest counted item that waits was added.",
        examples: ["ojm queue ls"],
        load: () => import("../commands/queue/ls.js"),
        options: COMMON,
      },
      {
        name: "queue show",
        operands: "QUEUE [ITEM]",
        summary: "a queue, its options and its first items; or everything about one item, with its data",
        examples: ["ojm queue show mail --state delayed"],
        codes: [3],
        load: () => import("../commands/queue/show.js"),
        options: {
          state: {
            value: "STATE",
            choices: ["active", "waiting", "delayed", "dead"],
            text: "only items in this state. Default: all, in this order",
          },
          group: { value: "GROUP", text: "only items of this group" },
          limit: { value: "N", short: "n", text: "the most items to show. Default: 20" },
          ...COMMON,
        },
      },
      {
        name: "queue dead",
        operands: "QUEUE",
        summary: "the dead letters of a queue: items whose last attempt failed, or that were cancelled",
        examples: ["ojm queue dead mail"],
        codes: [3],
        load: () => import("../commands/queue/show.js"),
        options: {
          group: { value: "GROUP", text: "only those of this group" },
          limit: { value: "N", short: "n", text: "the most dead letters to show. Default: 20" },
          ...COMMON,
        },
      },
      {
        name: "queue define",
        operands: "QUEUE",
        summary: "set the options of a queue, for all its workers",
        about: `An option that is not given has its default. The last definition counts: a program that defines the queue replaces it at its next start.`,
        examples: ["ojm queue define mail --attempts 3 --timeout 1m --rate smtp=100/1m"],
        codes: [3],
        load: () => import("../commands/queue/acts.js"),
        options: {
          attempts: { value: "N", text: "the most attempts of an item, 100 at most. Default: 5" },
          delay: { value: "TIME", text: "the wait after a failed attempt. Default: 1s" },
          backoff: {
            value: "HOW",
            choices: ["exponential", "fixed"],
            text: "exponential: each wait is twice the one before. Default: exponential",
          },
          "max-delay": { value: "TIME", text: "the longest wait. Default: 1h" },
          timeout: { value: "TIME", text: "how long an attempt may take. Default: 1h" },
          "per-group": { value: "N", text: "the most items of a group at once. Default: no limit" },
          permit: {
            value: "NAME=N",
            text: "take an item only while fewer than N runs of any name have this permit. May be given up to 7 times",
          },
          rate: {
            value: "NAME=N/TIME",
            text: "take an item only if fewer than N runs with this rate began within TIME, such as smtp=100/1m",
          },
          record: {
            value: "WHICH",
            choices: ["all", "failed", "none"],
            text: "which attempts keep the record of their run. Default: all",
          },
          keep: { value: "TIME", text: "how long dead letters stay. Default: 14d" },
          new: NEW_QUEUE,
          ...COMMON,
        },
      },
      {
        name: "queue add",
        operands: "QUEUE [DATA|-]",
        summary: "add an item to a queue; its data is JSON, from the command line or from stdin",
        about: `Without DATA, the data is null; with -, it comes from stdin. The first item of a new queue makes it. A name that is close to that of an existing queue is rejected, unless
--new is given. If the store gave no answer, the item may have been added: with --unique, the command can be repeated.`,
        examples: [
          `ojm queue add mail '{"to":"ana@example.org"}' --unique order-4711`,
          "jq -c . order.json | ojm queue add orders - --delay 10m",
        ],
        codes: [3],
        load: () => import("../commands/queue/add.js"),
        options: {
          priority: { value: "N", text: "from -100 to 100: items of a higher priority are taken first. Default: 0" },
          delay: { value: "TIME", text: "how long it waits before a worker can take it" },
          at: { value: "TIME", text: "when a worker can take it: a time in ISO 8601, or a duration from now" },
          ttl: { value: "TIME", text: "drop it if no worker has taken it by then" },
          group: { value: "GROUP", text: "groups are served in turn" },
          unique: { value: "KEY", text: "add it only if no other item of the queue has this key" },
          "unique-until": {
            value: "WHEN",
            text: "how long the key counts: taken, done, or a duration. Default: done",
          },
          replace: {
            text: "give the item with the key the new data, and the new time if there is one; an active item is handled once more after its attempt",
          },
          attempts: { value: "N", text: "the most attempts of this item, instead of those of the queue" },
          new: NEW_QUEUE,
          ...COMMON,
        },
      },
      {
        name: "queue work",
        operands: "QUEUE -- COMMAND …",
        summary: "run a command for each item of a queue, with its data as JSON on stdin; the exit code is the answer",
        about: `Exit code 0 completes the item. 75 gives it back: the attempt does not count, and another one begins after --later. Any other code fails the attempt,
and the options of the queue say when the next one begins, or that the item is a dead letter. Each attempt is a run of the name of the queue: the output of the command is passed through, and
stored as its log. The command finds OJM_ITEM, OJM_ATTEMPT, OJM_FENCE, OJM_RUN_ID and OJM_QUEUE in its environment.
When the timeout of the queue less the grace is over, its process group gets SIGTERM, and at the timeout SIGKILL. If the lock of the item is lost, it gets SIGKILL at once.
At a signal to ojm, it takes no further item, and its commands have the grace to end. Then they get SIGTERM, and 2 s later SIGKILL; a
second signal at least a second later sends SIGKILL at once. Their items are given back, and the attempts do not count.
If ojm itself is killed, a command runs until it next prints. A worker of the same host that takes its item waits for its end.
With "notify" in a config file, ojm sends alerts about its runs.`,
        examples: [
          "ojm queue work mail --concurrency 4 -- ./send-mail",
          "ojm queue work thumbnails --drain -- node thumbnail.mjs",
        ],
        codes: [3, 75, 129, 130, 143],
        load: () => import("../commands/queue/work.js"),
        options: {
          concurrency: { value: "N", text: "how many commands run at once, 1,000 at most. Default: 1" },
          drain: {
            text: "end once no item waits: with 0, or with 1 if an attempt failed. Delayed items and those of other workers stay. If the queue is paused, end with 75; if the store has no such queue, with 3",
          },
          grace: {
            value: "TIME",
            text: "how long a command has to end after a signal to ojm, and after the SIGTERM of a timeout or of ojm cancel. Default: 10s",
          },
          later: { value: "TIME", text: "how long an item waits after exit code 75. Default: 1m" },
          new: NEW_QUEUE,
          ...STORE,
        },
      },
      {
        name: "queue retry",
        operands: "QUEUE ITEM …",
        summary: "make dead or delayed items waiting now; the attempts of a dead one begin again",
        examples: ["ojm queue retry mail 0k7d2m4q8zx1abc"],
        codes: [3],
        load: () => import("../commands/queue/acts.js"),
        options: { reason: { value: "TEXT", text: "why, for the audit" }, ...COMMON },
      },
      {
        name: "queue discard",
        operands: "QUEUE ITEM …",
        summary: "remove items for good; the run of an active one is cancelled first",
        examples: ['ojm queue discard mail 0k7d2m4q8zx1abc --reason "the customer is gone"'],
        codes: [3, 8],
        load: () => import("../commands/queue/acts.js"),
        options: { ...REASON, ...COMMON },
      },
      {
        name: "queue redrive",
        operands: "QUEUE",
        summary: "retry the dead letters of a queue, those added first at the head",
        about: "A dead letter whose unique key another item has by now stays.",
        examples: ["ojm queue redrive mail --rate 100/1m"],
        codes: [3],
        load: () => import("../commands/queue/acts.js"),
        options: {
          rate: { value: "N/TIME", text: "spread them over time, such as 100/1m. Default: all at once" },
          limit: { value: "N", short: "n", text: "the most dead letters to retry. Default: all" },
          reason: { value: "TEXT", text: "why, for the audit" },
          ...COMMON,
        },
      },
      {
        name: "queue purge",
        operands: "QUEUE",
        summary: "remove all items of a queue that wait, or that are in another state, for good",
        about: "Active items are not removed: ojm queue discard removes them by their ids.",
        examples: ['ojm queue purge mail --reason "they were added twice"'],
        codes: [3],
        load: () => import("../commands/queue/acts.js"),
        options: {
          state: {
            value: "STATE",
            choices: ["waiting", "delayed", "dead"],
            text: "the items in this state. Default: waiting",
          },
          group: { value: "GROUP", text: "only those of this group" },
          ...REASON,
          ...DRY,
          ...COMMON,
        },
      },
      {
        name: "queue pause",
        operands: "QUEUE",
        summary: "pause a queue: no worker takes an item of it; active items continue",
        examples: ['ojm queue pause mail --reason "the mail server is away" --until 2h'],
        codes: [3],
        load: () => import("../commands/queue/acts.js"),
        options: { ...REASON, until: { value: "TIME", text: "when it ends by itself" }, ...COMMON },
      },
      {
        name: "queue resume",
        operands: "QUEUE",
        summary: "end the pause of a queue",
        examples: ["ojm queue resume mail"],
        codes: [3],
        load: () => import("../commands/queue/acts.js"),
        options: { reason: { value: "TEXT", text: "why, for the audit" }, ...COMMON },
      },
    ],
  ],
  [
    "Move",
    [
      {
        name: "export",
        operands: "[NAME]",
        summary: "print runs, logs, schedules and the audit of a store as lines of JSON, for ojm import",
        about: `The store can be in use during the export. Runs in progress, locks, holds, pending attempts and requests are left out: they
are valid only in their own store. So are the items of queues, the keys that are done, and the marks of exec that a tick has run: it prints
how many. The last line has the counts of all others.`,
        examples: ["ojm export --store sqlite:a.db | ojm import --store redis://jobs.example.com"],
        codes: [3],
        load: () => import("../commands/port/export.js"),
        options: {
          since: {
            value: "TIME",
            text: "only runs that began, ticks and actions since then: a duration such as 30d, or a time in ISO 8601",
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
        about: `Never changes existing entries, so it can be repeated, even while other processes use the store. It causes no run of a past
tick: a tick that came due since the export gets the outcome missed. Prints what it imported, what was there already, and what it left
out.`,
        examples: ["ojm import runs.jsonl --store sqlite:b.db"],
        load: () => import("../commands/port/import.js"),
        options: { ...STORE, ...JSON_OUTPUT },
      },
    ],
  ],
  [
    "More",
    [
      {
        name: "help",
        operands: "[COMMAND]",
        summary: "show how a command is used",
        examples: ["ojm help exec"],
        load: () => import("../commands/help.js"),
        options: {},
      },
      {
        name: "version",
        operands: "",
        summary: "print the version",
        examples: ["ojm version"],
        load: () => import("../commands/version.js"),
        options: {},
      },
      {
        name: "completion",
        operands: "bash|zsh|fish",
        summary: "print a script with which the shell completes commands, options, names and runs",
        about: `Names of jobs and ids of runs come from the store: that of --store on the line, or of OJM_STORE or ojm.config.json.

  bash, in ~/.bashrc:                 source <(ojm completion bash)
  zsh, in ~/.zshrc behind compinit:   source <(ojm completion zsh)
  fish, in its config.fish:           ojm completion fish | source`,
        examples: ["source <(ojm completion bash)"],
        load: () => import("../commands/completion/completion.js"),
        options: {},
      },
    ],
  ],
];

/** The commands that the scripts of ojm call. The help does not show them. */
const hidden: readonly CommandSpec[] = [
  {
    name: "__complete",
    operands: "NAME|RUN|QUEUE -- PREFIX",
    summary: "print the names, runs or queues that begin so, a line each; nothing on any error",
    load: () => import("../commands/completion/complete.js"),
    options: { within: { value: "TIME", text: "the longest that it takes. Default: 900ms" }, ...STORE },
    hidden: true,
  },
];

/** Each command by its name. */
export const commands: ReadonlyMap<string, CommandSpec> = new Map(
  [...groups.flatMap(([, all]) => all), ...hidden].map((spec) => [spec.name, spec] as const),
);
