import type { RateTerms, RetryOptions } from "@ojm/core";
import type { Blackout, Missed, Overlap } from "@ojm/schedule";
import type { Position, SourceFile } from "../text/problem.js";

export type Args = Record<string, unknown>;

/** Arguments as they are written: a map, several maps, or code. */
export interface WrittenArgs {
  /** One map, or several: the script runs once for each. Those that a matrix makes are among them. */
  readonly args: readonly Args[];
  /** Code that returns them. It is evaluated when the job starts, and `args` is empty. */
  readonly argsCode?: CodeBlock;
  /** Where the arguments stand, by name, and keys within them, by `name.key` and `name.key.key`. */
  readonly argsAt: Readonly<Record<string, Position>>;
}

export interface CodeBlock {
  readonly code: string;
  readonly source: SourceFile;
  /** The line of the file (from 1) that holds the first line of the code. */
  readonly line: number;
  /** How far the code is indented in the file. */
  readonly indent: number;
  /**
   * Whether line n of the code is line n of the file. That is not so in folded and multi-line quoted text.
   */
  readonly exact: boolean;
}

export interface JobReference {
  readonly job: string;
  readonly at: Position;
}

export interface StepOptions {
  /** The longest that the step may take, in ms. */
  readonly timeout?: number;
  readonly continueOnError?: boolean;
}

export interface StepJob extends JobReference, StepOptions {
  readonly args: Args;
  readonly argsAt: Readonly<Record<string, Position>>;
  /** In a list of a shortcut: the job sees these arguments only. */
  readonly isolateArgs?: boolean;
  /** In a list of a shortcut: whether templates in `args` are filled. Default: what the list says. */
  readonly templateArgs?: boolean;
}

/** A shortcut of OpenAF: an action in the place of a job, as in `(if): code` with `((then)): [job]`. */
export interface Shortcut {
  readonly name: string;
  readonly at: Position;
  /** Its own value, under `value`, and those of its options, without lists of jobs. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Those of the values that are texts. */
  readonly blocks: Readonly<Record<string, CodeBlock>>;
  /** Its lists of jobs: by option, or by `option.key` in a map of lists. */
  readonly lists: Readonly<Record<string, readonly StepReference[]>>;
  /** For a job of OpenAF read as a shortcut: the arguments that give the options the file does not have. */
  readonly late?: Readonly<Record<string, string>>;
  readonly places: Readonly<Record<string, Position>>;
  readonly args: Args;
  readonly argsAt: Readonly<Record<string, Position>>;
}

/** An item of `from` and `to`, or of a list of a shortcut: a job, or a shortcut. */
export type StepReference = StepJob | { readonly shortcut: Shortcut };

/** An item of `catch`: a job's name or code. The names of all jobs decide which of the two it is. */
export interface CatchItem {
  readonly block: CodeBlock;
  readonly at: Position;
}

export interface Dependency extends JobReference {
  /** Decides, by returning true, whether to continue after that job completed. */
  readonly onSuccess?: CodeBlock;
  /** Decides, by returning true, whether to continue after that job failed. */
  readonly onFail?: CodeBlock;
}

export type JobType = "simple" | "periodic" | "shutdown" | "subscribe" | "jobs";

/** A map of arguments in a matrix, and where it and its keys stand. */
export interface PlacedArgs {
  readonly args: Args;
  readonly at: Position;
  readonly keysAt: Readonly<Record<string, Position>>;
}

export interface Matrix {
  readonly at: Position;
  /** The keys with their values. Each combination of values is a run. */
  readonly axes: readonly { readonly name: string; readonly at: Position; readonly values: readonly unknown[] }[];
  /** Arguments that are added to each matching combination, or else form a combination of their own. */
  readonly include: readonly PlacedArgs[];
  /** Combinations with these arguments are left out. */
  readonly exclude: readonly PlacedArgs[];
  /** Arguments of the job that an axis hides. */
  readonly hidden: readonly { readonly name: string; readonly at: Position }[];
}

/** What a run takes together with its lock. */
export type Taking = Pick<TypeArgs, "permits" | "rate">;

/** Settings of a job's type. Times are in ms. */
export interface TypeArgs {
  readonly cron?: string;
  readonly timeInterval?: number;
  readonly waitForFinish?: boolean;
  readonly timeZone?: string;
  readonly timeout?: number;
  readonly stopWhen?: CodeBlock;
  readonly lock?: string;
  readonly lockCh?: string;
  readonly permits?: Readonly<Record<string, number>>;
  readonly rate?: RateTerms;
  readonly single?: boolean;
  readonly maxParallel?: number;
  readonly failFast?: boolean;
  readonly noLog?: boolean;
  readonly retry?: RetryOptions;
  readonly overlap?: Overlap;
  readonly missed?: Missed["run"] | Missed;
  readonly jitter?: number;
  readonly blackout?: readonly Blackout[];
  readonly pwd?: string;
  readonly file?: string;
  readonly url?: string;
  readonly execRequire?: string;
  readonly chSubscribe?: string;
  readonly onlyFromNow?: boolean;
  /** Options of the script as a step. */
  readonly step?: StepOptions;
  readonly shell?: string;
  readonly shellPrefix?: string;
  readonly noTemplate?: boolean;
  readonly noTemplateArgs?: boolean;
  readonly shortcut?: CustomShortcut;
}

/** A shortcut that stands for a job of the file. */
export interface CustomShortcut {
  readonly name?: string;
  /** The argument that gets the value of the shortcut. */
  readonly keyArg?: string;
  /** The arguments that get its options, by option. */
  readonly args?: Readonly<Record<string, string>>;
}

/** A key that is ignored because another key with the same meaning wins. */
export interface UnusedKey {
  readonly alias: string;
  readonly key: string;
  readonly at: Position;
}

export interface JobDefinition extends WrittenArgs {
  readonly name: string;
  readonly at: Position;
  readonly exec?: CodeBlock;
  readonly matrix?: Matrix;
  readonly from: readonly StepReference[];
  readonly to: readonly StepReference[];
  readonly catch: readonly CatchItem[];
  /** The aliases of `from`, `to` and `catch` that the job has beside these keys. */
  readonly unused?: readonly UnusedKey[];
  readonly deps: readonly Dependency[];
  readonly each: readonly JobReference[];
  readonly type: JobType;
  readonly typeArgs: TypeArgs;
  readonly typeArgsAt: Readonly<Record<string, Position>>;
  readonly lang?: string;
  readonly langAt?: Position;
  /** The checks of the arguments before (`in`) and after (`out`) the job. */
  readonly check: { readonly in?: unknown; readonly out?: unknown };
  /** Where the checks stand, by `in` or `out` and the argument: `in.port`. */
  readonly checkAt: Readonly<Record<string, CodeBlock>>;
  readonly help?: Help;
  readonly environment?: readonly EnvironmentLayer[];
  readonly secrets?: readonly SecretUse[];
  /** The built-in job: a call to the job manager instead of a script. */
  readonly builtin?: string;
}

export interface TodoEntry extends JobReference, WrittenArgs {
  readonly when?: CodeBlock;
  /** The shortcut in the place of a job. `job` is its name in messages then. */
  readonly shortcut?: Shortcut;
}

/** A channel that the file opens before its first job. */
export interface ChannelDefinition {
  readonly name: string;
  readonly at: Position;
  readonly type: string;
  readonly typeAt?: Position;
  readonly args: Args;
  readonly argsAt: Readonly<Record<string, Position>>;
}

export interface LogFiles {
  readonly logFolder: PlacedText;
  readonly filenameTemplate?: string;
  readonly backupFilenameTemplate?: string;
  readonly numberOfFiles?: number;
  readonly HKhowLongAgoInMinutes?: number;
  readonly dontCompress?: boolean;
  readonly setLogOff?: boolean;
}

/** The `ojob` section. The settings of the file itself win over those of included files. Times are in ms. */
export interface Settings {
  readonly daemon?: boolean;
  /** The jobs that run once all others are done. */
  readonly shutdown?: readonly PlacedText[];
  readonly sequential?: boolean;
  readonly async?: boolean;
  readonly numThreads?: number;
  readonly depsTimeout?: number;
  readonly templateArgs?: boolean;
  readonly argsFromEnvs?: boolean;
  readonly shareArgs?: boolean;
  readonly logToFile?: LogFiles;
  readonly logToConsole?: boolean;
  readonly logArgs?: boolean;
  readonly logJobs?: boolean;
  readonly log?: { readonly format?: "human" | "json" };
  readonly loads?: readonly PlacedText[];
  readonly unique?: { readonly pidFile: PlacedText; readonly killPrevious?: boolean };
  readonly channels?: { readonly create?: readonly ChannelDefinition[] };
  readonly catch?: CodeBlock;
  readonly cronInLocalTime?: boolean;
  readonly environment?: readonly EnvironmentLayer[];
  /** The secrets that jobs may request, by name. */
  readonly secrets?: ReadonlyMap<string, SecretDefinition>;
  /** The receivers of alerts about the outcome of the runs of the job manager. */
  readonly notify?: Notify;
  /** OpenAF's packages. They are not loaded. */
  readonly opacks?: unknown;
}

/** Variables of the environment that stand in a job file, or in a file of their own. */
export type EnvironmentLayer =
  | { readonly variables: readonly (PlacedText & { readonly name: string })[] }
  | { readonly file: PlacedText; readonly required: boolean };

export interface SecretDefinition {
  readonly name: string;
  readonly at: Position;
  readonly env?: string;
  readonly file?: PlacedText;
}

/** A secret that a job requests, as an argument unless only a variable is named. */
export interface SecretUse {
  readonly secret: string;
  readonly at: Position;
  /** The name of the argument. Default: that of the secret. */
  readonly arg?: string;
  /** The name of the variable of the environment. */
  readonly env?: string;
}

export interface Notify {
  readonly rules: readonly NotifyRule[];
  /** The address of the UI. */
  readonly url?: PlacedText;
}

export interface NotifyRule {
  readonly values: Args;
  readonly at: Position;
  /** Where its values stand, by their keys: `to`, `to.webhook`. */
  readonly places: Readonly<Record<string, Position>>;
}

export interface PlacedText {
  readonly text: string;
  readonly at: Position;
}

/** An argument of a job or of a job file, as its help describes it. */
export interface HelpArgument {
  readonly name: string;
  readonly at: Position;
  readonly desc?: string;
  readonly mandatory: boolean;
  readonly example?: string;
  readonly options?: readonly string[];
  readonly secret: boolean;
}

export interface Help {
  readonly text?: string;
  readonly expects: readonly HelpArgument[];
  readonly returns: readonly HelpArgument[];
}

export interface JobFile {
  readonly source: SourceFile;
  readonly included: readonly SourceFile[];
  /** Whether all jobs are known: every included file could be read, and every job has a name. */
  readonly complete: boolean;
  readonly jobs: ReadonlyMap<string, JobDefinition>;
  readonly todo: readonly TodoEntry[];
  readonly settings: Settings;
  readonly init: unknown;
  readonly code: ReadonlyMap<string, CodeBlock>;
  readonly help: Help | undefined;
}
