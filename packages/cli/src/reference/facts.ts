import { commands, groups } from "../command-line/all.js";
import type { CommandSpec, OptionSpec } from "../command-line/spec.js";

/*
 * What the documents say that are made from the table of commands, beside what the table itself says.
 */

export const TITLE = "run job files and any command, and never run a job of the same name twice at once";

/** The exit codes of single commands, beside those that all have. */
const MORE_CODES: Readonly<Record<string, readonly number[]>> = {
  run: [5, 129, 130, 143],
  ps: [3],
  jobs: [3],
  locks: [3],
  runs: [3],
  show: [3],
  logs: [3],
  wait: [3, 8, 124],
  cancel: [3, 8],
  unlock: [3],
  pause: [3],
  resume: [3],
  schedules: [3],
  "run-now": [3],
  backfill: [3],
  hold: [3, 75],
  why: [3],
  next: [3],
  ticks: [3],
  audit: [3],
  prune: [3],
  export: [3],
  exec: [75, 124, 129, 130, 143],
};

/** The commands that may end with the exit code of a script or command. */
const PASSED_ON: readonly string[] = ["run", "exec"];

/** The exit codes of a command. */
export function codesOf({ name, options }: CommandSpec): readonly string[] {
  const ofStore = options["store"] === undefined ? [] : [4, 5];
  const codes = [0, 1, 2, ...ofStore, ...(MORE_CODES[name] ?? [])].sort((a, b) => a - b).map(String);
  return PASSED_ON.includes(name) ? [...codes, "another"] : codes;
}

export const ENVIRONMENT: readonly (readonly [name: string, text: string])[] = [
  ["OJM_STORE", "The store, where neither --store nor --profile is given."],
  [
    "OJM_CONFIG",
    "The config file, whose store counts where neither --store nor OJM_STORE is given. It may be a program: ojm runs it, and does not check who owns it.",
  ],
  ["OJM_DEBUG", "If it is set, a fault of ojm is shown with its stack."],
  [
    "OJM_UI_SECRET",
    "The secret of ojm ui, of 16 characters or more, from which its cookies are made: with one, they outlive a restart.",
  ],
  ["NO_COLOR", "If it is set, there are no colors."],
];

export const CONFIG =
  'Without --store and OJM_STORE, the store is the one of the file that OJM_CONFIG names, or of ojm.config.json, .yaml or .yml in the working directory, or in the nearest folder above it, up to the root of the repository (.git) or the home folder. A file that was only found must belong to you or to root, only they may write to it, and the type of its store is a plain name. An ojm.config.js, .mjs or .ts is a program: it is run only if OJM_CONFIG names it, and never to complete a word of the shell. With "notify" in that file, ojm exec sends alerts about its runs, wherever its store is named.';

export const RELATIVE =
  "Write an absolute path into OJM_STORE, as in sqlite:/srv/ojm.db: a relative one begins at the working folder, so that another folder, as cron has one, means another store with other locks, and a job runs twice. Relative paths in ojm.config begin at the folder of that file.";

export const PASSWORDS =
  "While a command runs, each user of the machine can read its words, a password in --store among them. Put such a store into OJM_STORE, or into a config file that only you may read. A config that is a program can take it from a variable: export default { store: process.env.JOBS_URL }. What ojm exec and ojm run start gets the environment of ojm, OJM_STORE too: an ojm within it means the same store. To keep a password from it, use a config file in place of OJM_STORE. OJM_UI_SECRET is for ojm ui alone, and nothing that ojm starts gets it.";

export const PLACEHOLDERS =
  "RUN is the id of a run, NAME@ and as much of its time as no other run of the job has, or a name for its last run. TIME is a duration such as 90s, 10m, 2h or 30d; where a time is meant, it may also be written in ISO 8601.";

export const JSON_ERRORS =
  'With --json or --jsonl, an error is a line of JSON on stderr: {"error":{"code":"notFound","exit":3,"message":"…"}}.';

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  run: ["ojm run jobs.yaml", "ojm run jobs.yaml --job report month=11"],
  check: ["ojm check jobs.yaml --strict"],
  schema: ["ojm schema > job-file.schema.json"],
  ps: ["ojm ps --watch"],
  top: ["ojm top --store redis://jobs.example.com:6379"],
  ui: ["ojm ui --read-only", "ojm ui --port 8080 --show-results"],
  jobs: ["ojm jobs --time local"],
  next: ["ojm next nightly-report --limit 3"],
  why: ["ojm why nightly-report"],
  ticks: ["ojm ticks nightly-report --not-run --since 7d"],
  runs: ["ojm runs nightly-report --failed --since 2d"],
  show: ["ojm show nightly-report"],
  logs: ["ojm logs nightly-report --follow"],
  wait: ["ojm wait nightly-report --timeout 10m"],
  history: ["ojm history jobs.yaml --limit 5"],
  locks: ["ojm locks"],
  audit: ["ojm audit nightly-report"],
  doctor: ["ojm doctor"],
  exec: ["ojm exec nightly-dump --timeout 1h -- pg_dump shop"],
  "run-now": ['ojm run-now nightly-report day=2026-11-01 --reason "the file came late"'],
  cancel: ['ojm cancel nightly-report --reason "wrong month"'],
  unlock: ['ojm unlock nightly-report --reason "its host is gone"'],
  hold: ['ojm hold nightly-report --reason "the schema changes" --until 2h'],
  pause: ['ojm pause nightly-report --reason "holidays" --until 7d'],
  resume: ["ojm resume nightly-report"],
  schedules: ['ojm schedules rm nightly-report --reason "it is called weekly-report now"'],
  backfill: ['ojm backfill nightly-report --from 2d --reason "the store was away"'],
  prune: ["ojm prune --older-than 30d --keep 100"],
  export: ["ojm export --store sqlite:a.db | ojm import --store redis://jobs.example.com"],
  import: ["ojm import runs.jsonl --store sqlite:b.db"],
  help: ["ojm help exec"],
  version: ["ojm version"],
  completion: ["source <(ojm completion bash)"],
};

/** Lines to type, for a command. */
export const examplesOf = ({ name }: CommandSpec): readonly string[] => EXAMPLES[name] ?? [];

/** The synopsis of a command: what it takes, but for the options that many commands have. */
export function synopsis({ name, operands, options }: CommandSpec): string {
  const shown = Object.entries(options).filter(([, { common }]) => common !== true);
  const own = shown.map(([option, { value }]) => `[--${option}${value === undefined ? "" : ` ${value}`}]`);
  const [before, after] = operands.split(" -- ");
  return [`ojm ${name}`, before, ...own, ...(after === undefined ? [] : [`-- ${after}`])].filter(Boolean).join(" ");
}

/** An option as it is written, such as `-n, --limit N`. */
export function optionTerm(name: string, { value, short }: OptionSpec): string {
  const long = `--${name}${value === undefined ? "" : ` ${value}`}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

/** The options that a command alone has, and those that many have. */
export function optionsOf({ options }: CommandSpec): { readonly own: Option[]; readonly common: Option[] } {
  const all = Object.entries(options);
  return {
    own: all.filter(([, { common }]) => common !== true),
    common: all.filter(([, { common }]) => common === true),
  };
}

type Option = readonly [name: string, spec: OptionSpec];

/** The options that many commands have, each once. */
export function commonOptions(): readonly Option[] {
  const all = new Map<string, OptionSpec>();
  for (const spec of commands.values()) for (const [name, option] of optionsOf(spec).common) all.set(name, option);
  return [...all];
}

/** A part of a text: words, or lines that stand as they are. */
export interface Block {
  readonly isCode: boolean;
  readonly text: string;
}

/** The parts of what a command says about itself: indented lines stand as they are. */
export function blocksOf(about: string): readonly Block[] {
  return about.split("\n\n").map((block) => {
    const lines = block.split("\n");
    const isCode = lines.every((line) => line.startsWith("  "));
    return { isCode, text: isCode ? lines.map((line) => line.slice(2)).join("\n") : lines.join(" ") };
  });
}

/** A text as a sentence. */
export const sentence = (text: string): string => {
  // An address is typed as it stands.
  const first = /^[a-z]+:\/\//.test(text) ? text.charAt(0) : text.charAt(0).toUpperCase();
  return `${first}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
};

export { groups };
