import { COLOR, OUTPUT, STORE } from "./common.js";
import type { CommandSpec } from "./spec.js";

const LOOK = { ...STORE, ...OUTPUT } as const;

/** The commands that show what a store knows. */
export const lookCommands: readonly CommandSpec[] = [
  {
    name: "ps",
    operands: "[NAME]",
    summary: "what runs now: where, since when, how long it usually takes, who waits",
    options: {
      watch: { short: "w", text: "go on, and show every change, until Ctrl-C. Only on a terminal, and without --json" },
      ...LOOK,
    },
  },
  {
    name: "top",
    operands: "",
    summary: "a live screen: problems first, then what runs, then what comes next; with keys to look and to act",
    about: `Keys: up and down select, Enter shows why, what helps and the log, c cancels, p pauses or resumes, / filters, ? helps, q ends.`,
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
    options: LOOK,
  },
  {
    name: "next",
    operands: "[NAME]",
    summary: "the coming ticks of a schedule, or the next one of each",
    options: {
      limit: {
        value: "N",
        short: "n",
        text: "the most ticks to show, without NAME those of all schedules. Default: 10 of NAME, or one of each",
      },
      ...LOOK,
    },
  },
  {
    name: "why",
    operands: "NAME",
    summary: "why a job does not run now, the most important reason first, and what helps",
    options: LOOK,
  },
  {
    name: "ticks",
    operands: "NAME",
    summary: "what became of each tick of a schedule, and why, newest first",
    about: `A tick is run, skipped (the job was running, or the schedule was paused), missed (no process was there), refused,
waiting (its run begins when those before it have ended: overlap queue or replace, missed all), or overdue: no process has
decided on it a minute after it was due. Ticks that were decided at once, and not run for one reason, are one row. Outcomes are kept for 30 days.`,
    options: {
      "not-run": { text: "only those that were not run so far" },
      skipped: { text: "only those that were skipped" },
      missed: { text: "only those that were missed" },
      since: { value: "TIME", text: "only ticks since: a duration such as 2h, or a time in ISO 8601" },
      until: { value: "TIME", text: "only ticks before" },
      limit: { value: "N", short: "n", text: "the most rows to show. Default: 20" },
      ...LOOK,
    },
  },
  {
    name: "runs",
    operands: "[NAME]",
    summary: "the last runs, newest first",
    options: {
      failed: {
        text: "only those that did not complete: failed, timeout, lost, cancelled; with --by-name, without cancelled",
      },
      status: {
        value: "STATUS",
        choices: ["running", "completed", "skipped", "failed", "timeout", "cancelled", "lost"],
        text: "only those with this status; may be given several times",
      },
      since: { value: "TIME", text: "only those that began since: a duration such as 2h, or a time in ISO 8601" },
      until: { value: "TIME", text: "only those that began before" },
      "by-name": { text: "each name once: its newest run, how many it has, and since when" },
      before: { value: "RUN", text: "only those behind this one: the last id of a page gives the next page" },
      limit: { value: "N", short: "n", text: "the most runs to show. Default: 20" },
      ...LOOK,
    },
  },
  {
    name: "show",
    operands: "RUN",
    summary: "everything about a run: RUN is its id, the beginning of one, or a name for its last run",
    options: LOOK,
  },
  {
    name: "logs",
    operands: "RUN",
    summary: "the log of a run, from whatever machine: RUN as for ojm show",
    about: `What a terminal would obey in a line is shown escaped: a log is data. --raw writes the lines as they are.`,
    options: {
      follow: { short: "f", text: "go on until the run is over" },
      tail: { value: "N", short: "n", text: "only the last N lines" },
      raw: { text: "write control characters and escape sequences as they are: the terminal obeys them" },
      ...LOOK,
    },
  },
  {
    name: "wait",
    operands: "RUN",
    summary: "wait for the end of a run and of the attempts that follow it, and end as the last one did",
    options: {
      attempt: { text: "wait for this attempt alone" },
      timeout: { value: "TIME", text: "wait no longer than this, such as 10m. Ends with 8 then" },
      ...LOOK,
    },
  },
  {
    name: "history",
    operands: "[FILE]",
    summary: "the last runs, as ojm runs, of the job manager that a job file sets up",
    options: {
      name: { value: "NAME", text: "only the runs of this name (args.name of the job)" },
      limit: { value: "N", short: "n", text: "the most runs to show. Default: 20" },
      ...LOOK,
    },
  },
  {
    name: "locks",
    operands: "[NAME|FILE]",
    summary:
      "which locks are held, by whom, and who waits for them, and which of the last runs are free; of a store, of one job, or of a job file",
    options: LOOK,
  },
  {
    name: "audit",
    operands: "[NAME]",
    summary: "who unlocked, cancelled, held, paused, resumed, ran, filled or pruned what, and why",
    options: { limit: { value: "N", short: "n", text: "the most entries to show. Default: 20" }, ...LOOK },
  },
  {
    name: "doctor",
    operands: "",
    summary: "whether the store, its locks, runs and schedules are well, and what to do where they are not",
    about: `Times some reads and small commits on a channel of its own. Each line is ok, a warning or a problem. Ends with 1 if there is
a problem, and with 5 if the store cannot be reached. An entry that is damaged costs its own row in all other commands: it
is named here, with the command that removes it.`,
    options: {
      remove: { value: "ENTRY", text: "remove an entry that is damaged, as it is printed here, and no other one" },
      ...LOOK,
    },
  },
  {
    name: "ui",
    operands: "",
    summary: "all of this in a browser, live; needs the package @ojm/ui",
    about: `Serves 127.0.0.1 alone. The link that it prints is good once, for a minute: it is exchanged for a cookie. To let
others in, mount @ojm/ui in a server of your own. With OJM_UI_SECRET, sessions outlive a new start. /healthz says that it
lives, and /readyz that the store answers.`,
    options: {
      port: { value: "PORT", text: "the port. Default: 7717, or a free one if that is taken" },
      "read-only": { text: "refuse every act" },
      "show-results": { text: "show results, args and meta of runs, which may hold secrets" },
      metrics: {
        text: "serve /metrics for Prometheus, to programs of this machine: of this process, and when each job of the store last completed",
      },
      "base-path": { value: "PATH", text: "where a proxy has it, such as /ops/ojm" },
      "allow-host": { value: "NAME", text: "the name by which a proxy reaches it; may be given several times" },
      ...STORE,
    },
  },
];
