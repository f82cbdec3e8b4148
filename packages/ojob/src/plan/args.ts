import type { Args } from "../load/job-file.js";
import type { Variables } from "../text/environment.js";
import { fillAll } from "../text/template.js";
import { MANAGER_CHANNELS } from "./manager/manager-args.js";
import type { PlannedJob } from "./planned.js";

/** Arguments by their origin. An earlier field wins. */
interface ArgSources {
  /** Arguments of the job itself. They win, so that no caller can change the name of its lock. */
  readonly own: Args;
  readonly given: Args;
  readonly commandLine: Args;
  /** Secrets, which no argument from outside can replace. Templates of its own arguments may use them. */
  readonly secrets?: Args;
  /** The environment, for `${x}`. Default: that of the process. */
  readonly variables?: Variables;
  /** The own arguments whose templates stay as they are written. */
  readonly verbatim?: readonly string[] | undefined;
}

/** The values around a job from which its arguments are filled. */
export function around(job: PlannedJob): Pick<ArgSources, "secrets" | "variables" | "verbatim"> {
  const { secretArgs, environment, verbatim } = job;
  return { secrets: secretArgs, variables: environment.all, verbatim };
}

/**
 * Receives each template or variable without a value: the argument that holds it, how it is written, and the
 * message of a `${x:?message}`, without which nothing may run.
 */
export type Missing = (argument: string, written: string, message?: string) => void;

/** Merges arguments. Templates in the job's own are filled; arguments from outside are data. */
export function mergeArgs(sources: ArgSources, missing: Missing): Args {
  const { own, given, commandLine, secrets, variables, verbatim } = sources;
  const outside = { ...commandLine, ...given, ...secrets };
  return { ...outside, ...fillArgs(own, outside, missing, variables, verbatim) };
}

/**
 * Fills the templates in `args` from `data`, and from the arguments filled before. Those of the arguments
 * named by `verbatim` stay as they are written.
 */
export function fillArgs(
  args: Args,
  data: Args,
  missing: Missing,
  variables: Variables = process.env,
  verbatim: readonly string[] = [],
): Args {
  const filled: Args = {};
  const known: Args = { ...data };
  for (const [key, value] of Object.entries(args)) {
    if (verbatim.includes(key)) {
      filled[key] = value;
      continue;
    }
    // An unfilled variable in the name of a lock would give all runs one lock, and in the path of a store it
    // would mean another store. The variable stays, and is rejected later.
    const result = fillAll(value, known, {
      missing: (written, message) => missing(key, written, message),
      keep: key === "name" || MANAGER_CHANNELS.some((channel) => channel === key),
      variables,
    });
    if (result === undefined) continue;
    filled[key] = result;
    known[key] = result;
  }
  return filled;
}

/**
 * The arguments of a job that stay when it is a step of another one: the steps after it see them, as in
 * OpenAF. With several maps of arguments, none stay. The arguments of the lock never replace those of
 * `before`: the name of a lock must not change under a running job.
 */
export function stayingArgs({ args }: Pick<PlannedJob, "args">, before: Args): ReadonlySet<string> {
  const [own = {}, ...more] = args;
  if (more.length > 0) return new Set();
  return new Set(Object.keys(own).filter((name) => !LOCK_ARGS.includes(name) || before[name] === undefined));
}

export const LOCK_ARGS: readonly string[] = ["name", "timeout"];

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/**
 * Parses the value of a `key=value` of the command line. Numbers, `true` and `false` are parsed as such if
 * they read back as written: `007` and twenty digits stay text.
 */
export function commandLineValue(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return NUMBER.test(text) && String(Number(text)) === text ? Number(text) : text;
}

/** Arguments as they were written on the command line: {@link commandLineValue} loses nothing. */
export function asTexts(args: Args): Args {
  const asText = (value: unknown): unknown => (["number", "boolean"].includes(typeof value) ? String(value) : value);
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, asText(value)]));
}

/** Visits each text in a value. */
export function eachText(value: unknown, visit: (text: string) => void): void {
  if (typeof value === "string") visit(value);
  else if (typeof value === "object" && value !== null) for (const one of Object.values(value)) eachText(one, visit);
}

/** The arguments of a run: what the job file has for the job, with its templates, and those given to it. */
export interface RunArgs {
  readonly own: Args;
  readonly given: Args;
}

/** The maps of arguments that a job, or an item of the todo, has for its runs: each makes one run or more. */
export function runArgs({ args }: { readonly args: readonly Args[] }): readonly Args[] {
  return args.length > 0 ? args : [{}];
}
