import type { AlertsOptions } from "@ojm/alerts";
import type {
  Args,
  CodeBlock,
  Dependency,
  JobReference,
  JobType,
  Settings,
  Shortcut,
  StepOptions,
  TodoEntry,
  TypeArgs,
} from "../load/job-file.js";
import type { Setup } from "../script/protocol.js";
import type { Position } from "../text/problem.js";
import type { JobChecks } from "./argument-checks/checks.js";
import type { Environment, Secrets } from "./environment.js";

export interface ScriptStep extends StepOptions {
  readonly code: CodeBlock;
  /** The language of a script in a process. `undefined` means JavaScript in a script thread. */
  readonly lang?: string;
  /** The code is a module: the function that it exports is the script. */
  readonly module?: boolean;
  /** Templates in a script of another language stay as they are written. */
  readonly noTemplate?: boolean;
  /** The program that reads a shell script, with its parameters. Default: `sh`. */
  readonly shell?: string;
  /** A text to put in brackets before each line that a shell script writes. */
  readonly shellPrefix?: string;
}

export interface JobStep extends JobReference, StepOptions {
  readonly args?: Args;
  readonly argsAt?: Readonly<Record<string, Position>>;
}

export type Step = JobStep | ScriptStep | (StepOptions & { readonly shortcut: Shortcut });

/** A job, ready to run: its steps in order, and those for a failure. */
export interface PlannedJob {
  readonly name: string;
  readonly at: Position;
  readonly args: readonly Args[];
  /** Code that returns them when the job starts: a script. */
  readonly argsCode?: CodeBlock;
  readonly argsAt: Readonly<Record<string, Position>>;
  readonly matrix?: readonly string[];
  readonly steps: readonly Step[];
  /** The jobs that are its first steps. */
  readonly from: readonly string[];
  readonly onError: readonly Step[];
  /** The jobs that it waits for: its own dependencies, and those of its steps. */
  readonly deps: readonly Dependency[];
  readonly each: readonly JobReference[];
  readonly type: JobType;
  readonly typeArgs: TypeArgs;
  readonly checks: JobChecks;
  readonly builtin?: string;
  /** The arguments whose templates are not filled: those of rules are variables. */
  readonly verbatim?: readonly string[];
  /** The arguments that are secrets, or that the help of the job or of its file marks as secret. */
  readonly secrets: readonly string[];
  /** The secrets of the file that the job requests. */
  readonly requestedSecrets: readonly string[];
  /** The arguments that are secrets, with their values. */
  readonly secretArgs: Args;
  readonly variables: Readonly<Record<string, string>>;
  /** The environment of the job, unless it is a step of another one. */
  readonly environment: Environment;
  /** The folder in which its scripts run. Default: that of the process. */
  readonly folder?: string;
}

/** The jobs of a file, by name. */
export type Jobs = ReadonlyMap<string, PlannedJob>;

/** The rules of `notify`, filled and checked, and the address of the UI. */
export type PlannedNotify = Pick<AlertsOptions, "rules" | "url">;

/** A job file in which every name leads to a job and every script compiles. */
export interface Plan {
  readonly jobs: Jobs;
  readonly todo: readonly TodoEntry[];
  readonly settings: Settings;
  /** The steps that run when any job failed, after the `catch` of that job. */
  readonly onAnyError: readonly Step[];
  /** What scripts can use beside the standard functions. */
  readonly setup: Setup;
  readonly environment: Environment;
  readonly secrets: Secrets;
  /** The alerts; absent if the file has no rules. */
  readonly notify?: PlannedNotify;
}

/* Defaults of settings. A run uses them, and a dry run shows them. */

export function isSequential({ async, sequential }: Settings): boolean {
  return !(async ?? sequential === false);
}

export function timeZoneOf({ timeZone }: TypeArgs, { cronInLocalTime }: Settings): string {
  return String(timeZone ?? (cronInLocalTime ? "local" : "UTC"));
}

/**
 * How many runs of a job run at once, and whether the first failure stops them all: that of a matrix does, as
 * in GitHub Actions; of a list of args, only one that runs in turn.
 */
export function runLimits({ matrix, typeArgs }: Pick<PlannedJob, "matrix" | "typeArgs">): {
  readonly limit: number;
  readonly failFast: boolean;
} {
  const { single = false, maxParallel = Number.POSITIVE_INFINITY, failFast } = typeArgs;
  return { limit: single ? 1 : maxParallel, failFast: failFast ?? (single || matrix !== undefined) };
}

/** The shortcuts among these steps, and those in their lists. */
export function shortcutsIn(steps: readonly Step[]): Shortcut[] {
  return steps.flatMap((step) => {
    if (!("shortcut" in step)) return [];
    return [step.shortcut, ...Object.values(step.shortcut.lists).flatMap(shortcutsIn)];
  });
}

/** The jobs among these steps, and those that their shortcuts may run. A name may hold a template. */
export function jobsNamedIn(steps: readonly Step[]): string[] {
  const lists = shortcutsIn(steps).flatMap(({ lists }) => Object.values(lists).flat());
  return [...steps, ...lists].flatMap((step) => ("job" in step ? [step.job] : []));
}

type AroundShortcut = Pick<PlannedJob, "secrets" | "environment" | "folder">;

/** A job whose only step is a shortcut: an item of the todo, or one of several that run at once. */
export function shortcutJob(shortcut: Shortcut, around: AroundShortcut): PlannedJob {
  return {
    name: `(${shortcut.name})`,
    at: shortcut.at,
    args: [],
    argsAt: {},
    steps: [{ shortcut }],
    from: [],
    onError: [],
    deps: [],
    each: [],
    type: "simple",
    // As in OpenAF, shortcuts show no banners.
    typeArgs: { noLog: true },
    checks: { in: [], out: [], from: 0, to: 1, late: false },
    requestedSecrets: [],
    secretArgs: {},
    variables: {},
    ...around,
  };
}
