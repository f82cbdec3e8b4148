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
import type { Check } from "./argument-checks/checks.js";
import type { Environment } from "./environment/environment.js";
import type { Secrets } from "./environment/secrets.js";

/** A step that is a script. */
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
  /** Stands in brackets before each line of a shell script. */
  readonly shellPrefix?: string;
}

/** A step that is another job on the same `args`. */
export interface JobStep extends JobReference, StepOptions {
  /** Arguments for this step alone. */
  readonly args?: Args;
  readonly argsAt?: Readonly<Record<string, Position>>;
}

/** A step that is a shortcut of OpenAF. */
export interface ShortcutStep extends StepOptions {
  readonly shortcut: Shortcut;
}

/** One step of a job. */
export type Step = JobStep | ScriptStep | ShortcutStep;

/** The checks of the arguments of a job: `in` before its script, and `out` after it. */
export interface JobChecks {
  readonly in: readonly Check[];
  readonly out: readonly Check[];
  /** How many steps are of `from`. */
  readonly from: number;
  /** How many steps come before those of `to`. */
  readonly to: number;
  /** Whether a step of `from` may set the arguments that are checked. */
  readonly late: boolean;
}

/** A job, ready to run: its steps in order, and what to do when one fails. */
export interface PlannedJob {
  readonly name: string;
  readonly at: Position;
  readonly args: readonly Args[];
  /** Code that has them as its value, when the job starts: a script. */
  readonly argsCode?: CodeBlock;
  readonly argsAt: Readonly<Record<string, Position>>;
  /** The arguments that its matrix sets. */
  readonly matrix?: readonly string[];
  readonly steps: readonly Step[];
  /** The jobs that are its first steps. */
  readonly from: readonly string[];
  readonly onError: readonly Step[];
  /** The jobs that it waits for: its own dependencies, and those of its steps. */
  readonly deps: readonly Dependency[];
  /** Jobs that run for each item that the script hands out. */
  readonly each: readonly JobReference[];
  readonly type: JobType;
  readonly typeArgs: TypeArgs;
  readonly checks: JobChecks;
  readonly builtin?: string;
  /** The arguments that are secrets, or that the help of the job or of its file marks as secret. */
  readonly secrets: readonly string[];
  /** The secrets of the file that the job asks for. */
  readonly asks: readonly string[];
  /** The arguments that are secrets, with their values. */
  readonly secretArgs: Args;
  /** The variables that the job adds to the environment around it. */
  readonly variables: Readonly<Record<string, string>>;
  /** The environment of the job where it is no step of another one. */
  readonly environment: Environment;
  /** The folder in which its scripts run. Default: that of the process. */
  readonly folder?: string;
}

/** The rules of `notify`, filled and checked, and the address of the UI. */
export type PlannedNotify = Pick<AlertsOptions, "rules" | "url">;

/** A job file in which every name leads to a job and every script compiles. */
export interface Plan {
  readonly jobs: ReadonlyMap<string, PlannedJob>;
  readonly todo: readonly TodoEntry[];
  readonly settings: Settings;
  /** The steps that run when any job failed, after the `catch` of that job. */
  readonly onAnyError: readonly Step[];
  /** What scripts find beside the functions that are always there. */
  readonly setup: Setup;
  /** The environment of the file. */
  readonly environment: Environment;
  readonly secrets: Secrets;
  /** The alerts; absent if the file has no rules. */
  readonly notify?: PlannedNotify;
}
