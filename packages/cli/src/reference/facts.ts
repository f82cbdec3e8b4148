import type { CommandGroups, CommandSpec, OptionSpec } from "../command-line/spec.js";

/* The parts of the generated documentation that are not in the table of commands. */

export const TITLE = "run job files and any command, and never run a job of the same name twice at once";

/** The exit codes of a command. */
export function codesOf({ options, codes = [] }: CommandSpec): readonly string[] {
  const numbers = [
    0,
    1,
    2,
    ...(options["store"] === undefined ? [] : [4, 5]),
    ...codes.filter((code) => code !== "another"),
  ];
  return [...numbers.sort((a, b) => a - b).map(String), ...codes.filter((code) => code === "another")];
}

export const ENVIRONMENT: readonly (readonly [name: string, text: string])[] = [
  ["OJM_STORE", "The store to use if neither --store nor --profile is given."],
  [
    "OJM_CONFIG",
    "The config file. Its store is used if neither --store nor OJM_STORE is given. It may be a program: ojm runs it, and does not check who owns it.",
  ],
  ["OJM_DEBUG", "If it is set, a fault of ojm is shown with its stack."],
  [
    "OJM_UI_SECRET",
    "The secret of ojm ui, of 16 characters or more, that signs its cookies: with it, sessions survive a restart.",
  ],
  ["NO_COLOR", "If it is set, there are no colors."],
];

export const CONFIG =
  'Without --store and OJM_STORE, the store is the one of the file that OJM_CONFIG names, or of ojm.config.json, .yaml or .yml in the working directory, or in the nearest folder above it, up to the root of the repository (.git) or the home folder. A file that was found in this way must be owned by you or by root, no other user may write to it, and the type of its store must be a plain name. An ojm.config.js, .mjs or .ts is a program: it is run only if OJM_CONFIG names it, and never for completion in the shell. With "notify" in that file, ojm exec sends alerts about its runs, even if its store is named elsewhere.';

export const RELATIVE =
  "Write an absolute path into OJM_STORE, as in sqlite:/srv/ojm.db: a relative path starts at the working directory. In another directory, such as that of cron, it names another store with other locks, and a job can run twice. Relative paths in ojm.config begin at the folder of that file.";

export const PASSWORDS =
  "While a command runs, each user of the machine can read its words, a password in --store among them. Put such a store into OJM_STORE, or into a config file that only you may read. A config that is a program can take it from a variable: export default { store: process.env.JOBS_URL }. Programs that ojm exec and ojm run start inherit the environment of ojm, including OJM_STORE: an ojm that they call uses the same store. To hide a password from them, use a config file instead of OJM_STORE. OJM_UI_SECRET is only for ojm ui: programs that ojm starts do not get it.";

export const PLACEHOLDERS =
  "RUN is the id of a run; or NAME@ and enough of its start time to identify it; or a name, for the last run of that name. ITEM is the id of an item of a queue, as queue show and queue dead print it. TIME is a duration such as 90s, 10m, 2h or 30d; where a time is meant, it may also be written in ISO 8601.";

export const JSON_ERRORS =
  'With --json or --jsonl, an error is a line of JSON on stderr: {"error":{"code":"notFound","exit":3,"message":"…"}}.';

/** The synopsis of a command, without the options that many commands have. */
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

/** The options of a command, split into its own and those of many commands. */
export function optionsOf({ options }: CommandSpec): { readonly own: Option[]; readonly common: Option[] } {
  const all = Object.entries(options);
  return {
    own: all.filter(([, { common }]) => common !== true),
    common: all.filter(([, { common }]) => common === true),
  };
}

type Option = readonly [name: string, spec: OptionSpec];

/** The options that many commands have, each once. */
export function commonOptions(groups: CommandGroups): readonly Option[] {
  return [...new Map(groups.flatMap(([, all]) => all.flatMap((spec) => optionsOf(spec).common)))];
}

/** A part of a text: prose, or lines that stay as they are. */
export interface Block {
  readonly isCode: boolean;
  readonly text: string;
}

/** The parts of the text of a command about itself: indented lines stay as they are. */
export function blocksOf(about: string): readonly Block[] {
  return about.split("\n\n").map((block) => {
    const lines = block.split("\n");
    const isCode = lines.every((line) => line.startsWith("  "));
    return { isCode, text: isCode ? lines.map((line) => line.slice(2)).join("\n") : lines.join(" ") };
  });
}

/** A text as a sentence. */
export const sentence = (text: string): string => {
  // An address keeps its case.
  const first = /^[a-z]+:\/\//.test(text) ? text.charAt(0) : text.charAt(0).toUpperCase();
  return `${first}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
};

/** The documentation of a command, for any output format. */
export interface CommandPage {
  readonly title: string;
  readonly synopsis: string;
  readonly summary: string;
  readonly blocks: readonly Block[];
  /** Its own options, and what each means. */
  readonly options: readonly (readonly [term: string, text: string])[];
  /** The options that many commands have, as they are written. */
  readonly common: readonly string[];
  readonly codes: string;
  readonly examples: readonly string[];
}

/** The documentation of a command. */
export function pageOf(spec: CommandSpec): CommandPage {
  const { own, common } = optionsOf(spec);
  return {
    title: `ojm ${spec.name}`,
    synopsis: synopsis(spec),
    summary: sentence(spec.summary),
    blocks: blocksOf(spec.about ?? "").filter(({ isCode, text }) => isCode || text !== ""),
    options: own.map(([name, option]) => [optionTerm(name, option), sentence(option.text)]),
    common: common.map(([name]) => `--${name}`),
    codes: `Exit codes: ${codesOf(spec).join(", ")}.`,
    examples: spec.examples ?? [],
  };
}

/** An exit code, or several that mean the same. */
export interface ExitCode {
  readonly code: string;
  /** What it means, after the code in a list; absent if that list leaves it out. */
  readonly brief?: string;
  readonly text: string;
}

/** The exit codes that commands may end with. */
export const EXIT_CODES: readonly ExitCode[] = [
  { code: "0", brief: "all went well", text: "All went well." },
  {
    code: "1",
    brief: "a job failed",
    text: "A job failed, or was skipped because another one failed (a job that skips itself, for example by its when, is not a failure); ojm cancel ended the command of exec; wait found that no process makes the next attempt; run-now found no process that runs the schedule, or was refused; queue work with --drain had an attempt that failed; doctor found a problem; ojm or a backend had a fault, whose stack is shown with OJM_DEBUG=1.",
  },
  {
    code: "2",
    brief: "the file or the command line is wrong",
    text: "The file or the command line is wrong: nothing started. Or the store that a command should read does not exist.",
  },
  { code: "3", brief: "not found", text: "There is no such run, lock, schedule, queue or item." },
  { code: "4", brief: "denied", text: "The store denies it." },
  {
    code: "5",
    brief: "the store is away",
    text: "The store cannot be reached, or returned an error. A command of exec has lost its lock for that reason, or did not start. prune deleted what it printed, and the audit does not record it.",
  },
  { code: "8", brief: "still running", text: "wait, cancel, queue discard: the run is still running." },
  {
    code: "75",
    brief: "the lock is held",
    text: "exec: the lock is held, by a run or a hold, or the command of a killed ojm is still running. hold: a run has the lock, and no hold is set. queue work with --drain: the queue is paused.",
  },
  {
    code: "76",
    brief: "started already",
    text: "exec with --once-per or --tick: a run of that window or tick has started, and the command is skipped.",
  },
  { code: "124", brief: "timeout", text: "exec: the command reached its timeout. wait: the run ended by its timeout." },
  {
    code: "129, 130, 143",
    brief: "after SIGHUP, Ctrl-C and SIGTERM",
    text: "After SIGHUP, SIGINT (Ctrl-C) and SIGTERM: the jobs were asked to stop, and had the grace to end while their locks were held. ojm run closes their runs as cancelled or, with retry.onLost, hands them over to another process, which runs them again. exec closes its run as cancelled. queue work gives back the items whose commands it had to end. A second signal does not wait for the scripts.",
  },
  { code: "another", text: "The code that a script passed to exit(code), or the exit code of the command of exec." },
];

/** The exit codes in one sentence. */
export function exitCodesInBrief(): string {
  const parts = EXIT_CODES.flatMap(({ code, brief }) =>
    brief === undefined ? [] : [`${code.replace(/, (\d+)$/, " and $1")} ${brief}`],
  );
  return `Exit codes: ${parts.join(", ")}.`;
}
