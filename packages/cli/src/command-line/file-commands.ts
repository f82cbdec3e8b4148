import type { CommandSpec } from "./spec.js";

const load = {
  value: "FILE|PACKAGE",
  text: "a JavaScript file, or a package such as @ojm/openaf, whose functions the scripts may call; may be given several times",
} as const;

/** The commands that are about job files. */
export const fileCommands: readonly CommandSpec[] = [
  {
    name: "run",
    operands: "FILE [key=value …]",
    summary: "run the todo of a job file, or one of its jobs",
    about: `key=value is an argument for the jobs. Those that the file gives win over it. Paths in it begin at the working
directory; paths in the file begin at its folder.`,
    options: {
      job: {
        value: "JOB",
        text: "run only this job, and before it those that it depends on; may be given several times. A schedule is not begun, and the daemon of the file may run meanwhile: locks hold for both",
      },
      "dry-run": {
        text: "show what would run, in which order, with which arguments and locks; run nothing",
      },
      load,
      "log-prefix": {
        value: "WHAT",
        choices: ["none", "job", "time", "both"],
        text: "what stands before each line that a job prints or logs: the job as [NAME], the time, or both. Default: none",
      },
      metrics: {
        value: "HOST:PORT",
        text: "while it runs, serve /metrics for Prometheus, /healthz and /readyz there. Without HOST: 127.0.0.1. Whoever reaches another address can read the names of the jobs",
      },
      strict: { text: "take warnings about the file for errors: nothing is run then" },
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
    options: { load, strict: { text: "take warnings for errors" } },
  },
  {
    name: "schema",
    operands: "",
    summary: "print the JSON Schema of job files, for editors",
    about: `With it, editors complete and check job files:

  ojm schema > job-file.schema.json

and as the first line of a job file, for editors that use the YAML language server:

  # yaml-language-server: $schema=job-file.schema.json`,
    options: {},
  },
];
