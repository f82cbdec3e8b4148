import type { Args, JobDefinition, JobFile, TodoEntry } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { misplacedNote } from "../../text/said-path.js";
import { firstTemplate } from "../../text/template.js";
import { around, fillArgs, type Missing, mergeArgs } from "../args.js";
import type { Plan, PlannedJob } from "../planned.js";
import { type OnMisplaced, type PathsOf, placeChannel, placeChannels, type Saying } from "./channel-paths.js";
import { JOB_INIT, MANAGER_CHANNELS, textOf, unfilledOption, wrongManagerArgs } from "./manager-args.js";
import { firstDoing } from "./run-args.js";

/** What is known of the types of channels without opening one. */
export interface KnownTypes {
  /** Why no channel of this type can be opened on this machine, whatever its arguments. */
  why(type: string): Promise<string | undefined>;
  /** What is wrong with the name of an option, if the type tells its options. */
  wrongOption(type: string, option: string): Promise<string | undefined>;
  readonly pathsOf: PathsOf;
}

/** The arguments that a file starts with. */
interface Given {
  /** Those that all jobs have. */
  readonly common: Args;
  /** Those of the command line among them. */
  readonly typed: Args;
}

/** A channel that the file opens, as far as that is known before the start. */
interface Use {
  readonly type: unknown;
  readonly at: Position;
  readonly args: unknown;
  /** Where an option stands. */
  readonly placeOf: (option: string) => Position;
  /** Whether the todo surely gets there, unless an earlier step fails. Otherwise a problem is a warning. */
  readonly certain: boolean;
}

/**
 * Finds channels that cannot be opened: a misspelt type, a missing package, wrong arguments of Init. Warns of
 * stores in the working directory that a relative path does not mean. Values that a script or a template
 * decides are checked later.
 */
export async function checkChannels(
  file: JobFile,
  plan: Plan,
  given: Given,
  problems: Problems,
  types: KnownTypes,
): Promise<void> {
  const { typed } = given;
  const saying = (at: Position): Saying => ({ at, typed, pathsOf: types.pathsOf });
  const uses = [
    ...(await declared(file, saying, problems)),
    ...(await usedByInit(file, plan, given.common, saying, problems)),
  ];
  for (const { type = "simple", args, at, placeOf, certain } of uses) {
    if (typeof type !== "string" || isTemplate(type)) continue;
    const tell = (message: string | undefined, where: Position): void => {
      if (message === undefined) return;
      if (certain) problems.flaw(sentence(message), where);
      else problems.warn(sentence(message), where);
    };
    if (type !== "simple") tell(await types.why(type), at);
    for (const option of isMap(args) ? Object.keys(args) : []) {
      tell(await types.wrongOption(type, option), nameBefore(placeOf(option), option));
    }
  }
}

type SayingAt = (at: Position) => Saying;

async function declared({ settings }: JobFile, saying: SayingAt, problems: Problems): Promise<Use[]> {
  const uses: Use[] = [];
  for (const { at, typeAt, argsAt, ...written } of settings.channels?.create ?? []) {
    const onMisplaced: OnMisplaced = (here, meant) => problems.warn(misplacedNote(here, meant), at);
    const { type, args } = await placeChannel(written, written, { ...saying(at), onMisplaced });
    for (const [option, value] of Object.entries(written.args ?? {})) {
      const template = firstTemplate(textOf(value));
      if (template === undefined) continue;
      const message = `nothing fills ${template} in "${option}" of "${written.name}": in "ojob.channels" no templates are filled. Write the value itself.`;
      problems.flaw(message, argsAt[option] ?? at);
    }
    uses.push({ type, args, at: typeAt ?? at, placeOf: (option) => argsAt[option] ?? at, certain: true });
  }
  return uses;
}

async function usedByInit(
  file: JobFile,
  plan: Plan,
  common: Args,
  saying: SayingAt,
  problems: Problems,
): Promise<Use[]> {
  // Unknown names and cycles have been reported already.
  if (!problems.isWhole) return [];
  const certain = surelyRun(plan);
  const uses: Use[] = [];
  for (const job of file.jobs.values()) {
    const planned = plan.jobs.get(job.name);
    if (planned === undefined || firstDoing(JOB_INIT, job.name, plan.jobs) !== "it") continue;
    for (const { entry, given } of callsOf(job, file)) {
      const onMisplaced: OnMisplaced = (here, meant, argument) =>
        problems.warn(misplacedNote(here, meant), placeOf(job, entry, `${argument}.args`, argument));
      const place = (args: Args, written: Args, at: Position): Promise<Args> =>
        placeChannels(args, written, { ...saying(at), onMisplaced });
      const filled = await place(
        fillArgs(given, common, () => {}, plan.environment.all),
        given,
        entry?.at ?? job.at,
      );
      for (const own of job.args.length > 0 ? job.args : [{}]) {
        const missing: Missing = (argument, text) => {
          // A job that is a step gets arguments that nobody knows here.
          if (entry === undefined || file.settings.shareArgs || planned.checks.in.length > 0) return;
          refuseUnfilled({ argument, text, own }, job, certain.has(job.name), problems);
        };
        const args = mergeArgs({ own, given: filled, commandLine: common, ...around(planned) }, missing);
        uses.push(...usesOf(await place(args, own, job.at), job, entry, certain.has(job.name), problems));
      }
    }
  }
  return uses;
}

/** Reports an option of a channel whose variable or template nothing fills. */
function refuseUnfilled(
  { argument, text, own }: { readonly argument: string; readonly text: string; readonly own: Args },
  job: JobDefinition,
  certain: boolean,
  problems: Problems,
): void {
  if (!MANAGER_CHANNELS.some((name) => name === argument)) return;
  const options = isMap(own[argument]) ? own[argument]["args"] : undefined;
  // A template holds its path without blanks here, and is written with them.
  const has = (value: unknown): boolean => textOf(value).replace(/\s/g, "").includes(text.replace(/\s/g, ""));
  const option = isMap(options) ? Object.keys(options).find((name) => has(options[name])) : undefined;
  if (option === undefined) return;
  const message = unfilledOption(text, option, argument);
  const at = placeOf(job, undefined, `${argument}.args.${option}`, `${argument}.args`, argument);
  if (certain) problems.flaw(message, at);
  else problems.warn(message, at);
}

/** What the todo calls a job with; nothing, if it does not name the job. */
function callsOf(job: JobDefinition, { todo }: JobFile): { readonly entry?: TodoEntry; readonly given: Args }[] {
  const entries = todo.filter((entry) => entry.job === job.name);
  const calls = entries.flatMap((entry) =>
    (entry.args.length > 0 ? entry.args : [{}]).map((given) => ({ entry, given })),
  );
  return calls.length > 0 ? calls : [{ given: {} }];
}

/** Where the first of these arguments stands that the job or the todo has. */
function placeOf(job: JobDefinition, entry: TodoEntry | undefined, ...names: string[]): Position {
  const places = [job.argsAt, entry?.argsAt ?? {}].flatMap((known) => names.flatMap((name) => known[name] ?? []));
  return places[0] ?? entry?.at ?? job.at;
}

/** Records in a lasting store call for locks in one, too. */
const LOCKS_IN_MEMORY = `${JOB_INIT} has "chJobs" and no "chLocks": the locks are in the memory of this process, so that other processes may run the same jobs at the same time. Give "chLocks" the same channel`;

function isInMemory(config: unknown): boolean {
  const { type = "simple" } = (config ?? {}) as Args;
  return type === "simple";
}

function usesOf(
  args: Args,
  job: JobDefinition,
  entry: TodoEntry | undefined,
  certain: boolean,
  problems: Problems,
): Use[] {
  const at = (...names: string[]): Position => placeOf(job, entry, ...names);
  if (MANAGER_CHANNELS.some((name) => isTemplate(args[name]))) return [];
  const wrong = wrongManagerArgs(args);
  for (const { argument, message } of wrong) {
    if (certain) problems.flaw(message, at(argument));
    else problems.warn(message, at(argument));
  }
  if (certain && wrong.length === 0 && args["chLocks"] === undefined && !isInMemory(args["chJobs"])) {
    problems.warn(LOCKS_IN_MEMORY, at("chJobs"));
  }
  const right = MANAGER_CHANNELS.filter((name) => !wrong.some(({ argument }) => argument === name));
  return right.map((name) => {
    const { type, args: options } = (args[name] ?? {}) as Args;
    const placeOfOption = (option: string): Position => at(`${name}.args.${option}`, `${name}.args`, name);
    return { type, args: options, at: at(`${name}.type`, name), placeOf: placeOfOption, certain };
  });
}

/**
 * The jobs that surely run, whatever scripts and conditions decide: entries without a `when`, and their
 * steps.
 */
function surelyRun({ jobs, todo }: Plan): ReadonlySet<string> {
  const sure = new Set<string>();
  const visit = (name: string): void => {
    const job: PlannedJob | undefined = jobs.get(name);
    if (job === undefined || sure.has(name)) return;
    sure.add(name);
    for (const step of job.steps) if ("job" in step) visit(step.job);
  };
  for (const { job, when } of todo) if (when === undefined) visit(job);
  return sure;
}

/** Where the name of an option stands whose value is at `at`: the caret is under the word that is wrong. */
function nameBefore(at: Position, option: string): Position {
  const before =
    at.source
      .line(at.line)
      ?.slice(0, at.column - 1)
      .trimEnd() ?? "";
  if (!before.endsWith(":")) return at;
  const key = before.slice(0, -1).trimEnd();
  const written = [option, `"${option}"`, `'${option}'`].find((word) => key.endsWith(word));
  return written === undefined ? at : { ...at, column: key.length - written.length + 1 };
}

function isMap(value: unknown): value is Args {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTemplate(value: unknown): boolean {
  return typeof value === "string" && value.includes("{{");
}

function sentence(message: string): string {
  return /[.?!]$/.test(message) ? message : `${message}.`;
}
