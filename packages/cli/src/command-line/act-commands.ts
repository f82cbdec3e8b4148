import { OUTPUT, REASON, STORE } from "./common.js";
import type { CommandSpec } from "./spec.js";

const ACT = { ...STORE, ...OUTPUT } as const;
const DRY = { "dry-run": { text: "show what would be done, and to whom; do nothing" } } as const;

/** The commands that change what runs. */
export const actCommands: readonly CommandSpec[] = [
  {
    name: "exec",
    operands: "NAME -- COMMAND …",
    summary: "run any command under the lock of NAME, with a record and a log",
    about: `The output is passed through, and kept as the log of the run. Ends as the command does; with 75 if the lock is held,
and with 76 if --once-per or --tick skips it: a start counts for all machines, also if its command failed.
The command finds OJM_RUN_ID and OJM_FENCE in its environment. At the timeout its whole process group gets SIGTERM, and after
the grace SIGKILL; when the lock is lost, SIGKILL at once. A signal to ojm is passed on, and the lock stays held until the command
ends. After the grace of a SIGINT, SIGTERM or SIGQUIT, or at a second one, at least a second later, SIGKILL ends the group. A command that
ends with 0 all the same is recorded as completed. If ojm itself is killed, the command keeps running until it prints: its output has no reader then.
With "notify" in a config file, ojm sends alerts about its runs.`,
    options: {
      wait: { value: "TIME", text: "how long to wait for the lock. Default: 0" },
      timeout: { value: "TIME", text: "how long the command may take. Default: 1h" },
      grace: { value: "TIME", text: "how long it has to end after SIGTERM, or after a signal to ojm. Default: 10s" },
      retry: { value: "N", text: "the most attempts in all. Between two of them the lock is free" },
      "retry-delay": {
        value: "TIME",
        text: "the wait before the second attempt; before each further one it is twice as long. Default: 1m",
      },
      "once-per": {
        value: "TIME",
        text: "skip the command if a run with the same option has started within nine tenths of this time, such as 54 min of 1h",
      },
      tick: {
        value: "CRON",
        text: "skip the command if a run has started for the last tick of this cron expression, such as '0 2 * * *'",
      },
      "time-zone": { value: "ZONE", text: "the zone of --tick, such as Europe/Lisbon, or local. Default: UTC" },
      ping: {
        value: "URL",
        text: "report the command to a check of healthchecks.io, or of a program like it: its start to URL/start, its end to URL, or to URL/EXITCODE if it failed. A command that did not begin is not reported",
      },
      "quiet-if-locked": { text: "say nothing if the lock is held, or --once-per or --tick skips the command" },
      ...STORE,
    },
  },
  {
    name: "run-now",
    operands: "NAME [key=value …]",
    summary: "run a schedule now, in the process that has it",
    about: `The arguments are the parameters of the run: its job function finds them in run.args, in each attempt. Numbers, true and
false are parsed as such. The record shows them, so keep secrets elsewhere.`,
    options: { ...REASON, ...ACT },
  },
  {
    name: "cancel",
    operands: "RUN",
    summary: "ask a run to stop, on whatever machine, and wait for its end",
    about: "A job that waits for its next attempt does not make it, and no other follows.",
    options: { ...REASON, wait: { value: "TIME", text: "how long to wait for the end. Default: 10s" }, ...DRY, ...ACT },
  },
  {
    name: "unlock",
    operands: "NAME",
    summary: "take a lock from its holder, or end a hold",
    about: "The run of the holder is closed as cancelled. Its process is told, but nothing proves that it has stopped.",
    options: { ...REASON, ...DRY, ...ACT },
  },
  {
    name: "hold",
    operands: "NAME",
    summary: "keep all runs of a job away, for maintenance",
    options: {
      ...REASON,
      until: {
        value: "TIME",
        text: "when it ends by itself: a duration such as 2h, or a time in ISO 8601. Default: 24h",
      },
      wait: { value: "TIME", text: "how long to wait for the run that goes on. Default: 0" },
      new: { text: "also a name that has no run and no schedule, where one with nearly the same name has" },
      ...ACT,
    },
  },
  {
    name: "pause",
    operands: "NAME",
    summary: "pause a schedule: its ticks are skipped until it is resumed",
    options: { ...REASON, until: { value: "TIME", text: "when it is resumed by itself" }, ...ACT },
  },
  {
    name: "resume",
    operands: "NAME",
    summary: "end the pause of a schedule",
    options: { reason: { value: "TEXT", text: "why, for the audit" }, ...ACT },
  },
  {
    name: "schedules",
    operands: "rm NAME",
    summary: "remove a schedule that no program adds any more, such as one that was renamed",
    about: `Ticks that wait or are due get the outcome refused. The runs and the outcomes of its ticks stay. A program that still adds
the schedule adds it again when it starts.`,
    options: { ...REASON, ...ACT },
  },
  {
    name: "backfill",
    operands: "NAME",
    summary: "run the ticks of a time that is over",
    about: `--status shows how far the backfills of a schedule are, and --stop ends them, in whatever process they are: the run that
goes on goes on, and no further one begins.`,
    options: {
      from: { value: "TIME", text: "the first tick: a duration such as 2h, or a time in ISO 8601" },
      to: { value: "TIME", text: "run ticks before this. Default: now" },
      again: { text: "also those that were run" },
      status: { text: "show how far the backfills are that are not done" },
      stop: { text: "stop the backfills of the schedule" },
      ...REASON,
      ...ACT,
    },
  },
  {
    name: "prune",
    operands: "[NAME]",
    summary: "delete the records and logs of runs that ended long ago",
    about: `Takes --older-than, --keep, or both: with --keep alone all but the newest N of each name go, however young they are. The
audit entries of that time are deleted too. A store also prunes itself: about once a day, runs that ended more than 90 days
ago are deleted, but for the newest 100 of each name. "retention" in the config file, beside "store", changes that.`,
    options: {
      "older-than": { value: "TIME", text: "how long ago, such as 30d" },
      keep: { value: "N", text: "leave the newest N runs and entries of the audit of each name, however old they are" },
      ...DRY,
      ...ACT,
    },
  },
];
