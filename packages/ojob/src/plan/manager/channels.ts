import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { isChannelError, registerBackend } from "@ojm/core";
import { rejectUnknownOptions } from "@ojm/core/backend";
import { findType } from "@ojm/core/internal";
import type { Args, JobFile, TodoEntry } from "../../load/job-file.js";
import { misplaced, misplacedNote, saidPath } from "../../text/files.js";
import type { Position, Problems } from "../../text/problem.js";
import { firstTemplate, hasTemplate, isMap, valueAt, wholeTemplate } from "../../text/template.js";
import { around, fillArgs, type Missing, mergeArgs, runArgs } from "../args.js";
import type { Plan, PlannedJob } from "../planned.js";
import { QUEUE_MANAGER, wrongWorkerArgs } from "../queue/queue-args.js";
import { JOB_INIT, MANAGER_CHANNELS, textOf, unfilledOption, wrongManagerArgs } from "./manager-args.js";
import { firstDoing } from "./starts.js";

/** The options of a channel type that are paths. Empty if the type is not found: opening reports why. */
export type PathsOf = (type: string) => Promise<readonly string[]>;

export interface Saying {
  readonly at: Position;
  readonly typed: Args;
  readonly pathsOf: PathsOf;
  readonly onMisplaced?: OnMisplaced;
}

/** Receives a path whose `meant` does not exist while `here` exists in the working directory. */
type OnMisplaced = (here: string, meant: string, argument: string) => void;

/** Makes the paths of the manager's channels absolute. `written`: before the templates were filled. */
export async function placeChannels(args: Args, written: Args, saying: Saying): Promise<Args> {
  const placed: Args = {};
  for (const name of MANAGER_CHANNELS) {
    if (!isMap(written[name]) && wholeTemplate(written[name]) === undefined) continue;
    if (isMap(args[name])) placed[name] = await placeChannel(args[name], written[name], saying, name);
  }
  return { ...args, ...placed };
}

/** Makes the paths of one channel, with `type` and `args`, absolute. */
export async function placeChannel<Config extends Args>(
  config: Config,
  written: unknown,
  saying: Saying,
  argument = "",
): Promise<Config> {
  const { type, args } = config;
  const place = (path: string, asWritten: unknown): string => {
    if (isTyped(path, asWritten, saying.typed)) return resolve(path);
    const meant = saidPath(path, saying.at);
    const here = misplaced(path, meant);
    if (here !== undefined) saying.onMisplaced?.(here, meant, argument);
    return meant;
  };
  const found = typeof type === "string" && isPath(type) ? place(type, field(written, "type")) : type;
  const options = isMap(args) ? { ...args } : args;
  for (const option of typeof found === "string" && isMap(options) ? await saying.pathsOf(found) : []) {
    const path = (options as Args)[option];
    // The type itself rejects an empty text, or a name such as ":memory:".
    if (typeof path !== "string" || /^\s*$|^:/.test(path)) continue;
    (options as Args)[option] = place(path, field(field(written, "args"), option));
  }
  return { ...config, ...(type !== undefined && { type: found }), ...(args !== undefined && { args: options }) };
}

/** Whether this text is the whole value of an argument of the command line, put here by a template. */
export function isTyped(text: string, written: unknown, typed: Args): boolean {
  const path = wholeTemplate(written);
  return path !== undefined && valueAt(typed, path) === text;
}

function isPath(type: string): boolean {
  return type.startsWith(".") || isAbsolute(type);
}

function field(value: unknown, name: string): unknown {
  return isMap(value) ? value[name] : undefined;
}

/** Registers a channel type before it is opened: with strict package managers, core cannot find backends. */
export type PrepareType = (type: string) => Promise<void>;

/** Prepares the type `simple`, and passes all others to `others`. */
export function preparing(others?: PrepareType): PrepareType {
  return async (type) => {
    if (type === "simple") registerBackend((await import("@ojm/simple")).backend);
    else await others?.(type);
  };
}

export function askingTypes(prepare: PrepareType): PathsOf {
  return async (type) => {
    try {
      await prepare(type);
      return (await findType(type)).paths ?? [];
    } catch {
      return [];
    }
  };
}

/** The message of core if this fails with one of these codes. */
async function messageOf(codes: readonly string[], check: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await check();
  } catch (error) {
    if (!isChannelError(error)) throw error;
    if (codes.includes(error.code)) return error.message;
  }
  return undefined;
}

/** Why no channel of this type can be opened on this machine, whatever its arguments. */
async function whyUnknown(type: string, prepare: PrepareType): Promise<string | undefined> {
  // A check runs no code, so the user's own file is not imported. Core reports a missing one below.
  if (isAbsolute(type) && existsSync(type)) return undefined;
  return messageOf(["UNKNOWN_TYPE", "FAILED"], async () => {
    await prepare(type);
    await findType(type);
  });
}

/** The problem of the name of an option, if the type declares its options. */
async function wrongOption(type: string, option: string, prepare: PrepareType): Promise<string | undefined> {
  if (isPath(type)) return undefined;
  // A type that cannot be found has been reported already.
  return messageOf(["INVALID_CONFIG"], async () => {
    await prepare(type);
    const { options } = await findType(type);
    if (options !== undefined) rejectUnknownOptions(type, { [option]: true }, options);
  });
}

/** A channel that the file opens, as far as that is known before the start. */
interface Use {
  readonly type: unknown;
  readonly at: Position;
  readonly args: unknown;
  readonly placeOf: (option: string) => Position;
  /** Whether the todo surely opens it, unless an earlier step fails. Otherwise a problem is a warning. */
  readonly certain: boolean;
}

/**
 * Finds channels that cannot be opened: a misspelt type, a missing package, wrong arguments of Init. Warns of
 * stores in the working directory that a relative path seems to name but does not. Values that a script or a
 * template decides are checked later.
 */
export async function checkChannels(
  file: JobFile,
  plan: Plan,
  { common, typed }: { readonly common: Args; readonly typed: Args },
  problems: Problems,
  prepare: PrepareType,
): Promise<void> {
  const ask = askingTypes(prepare);
  // Reading a type of the user would run its module.
  const pathsOf: PathsOf = async (type) => (isPath(type) ? [] : ask(type));
  const saying = (at: Position): Saying => ({ at, typed, pathsOf });
  const declaredUses = await declared(file, saying, problems);
  const queues = await queueUses(file, plan, common, problems);
  const uses = [...declaredUses, ...(await initUses(file, plan, common, saying, problems)), ...queues];
  for (const { type = "simple", args, at, placeOf, certain } of uses) {
    if (typeof type !== "string" || hasTemplate(type)) continue;
    const report = (message: string | undefined, where: Position): void => {
      if (message !== undefined) complain(message.replace(/(?<![.?!])$/, "."), where, certain, problems);
    };
    if (type !== "simple") report(await whyUnknown(type, prepare), at);
    for (const option of isMap(args) ? Object.keys(args) : []) {
      report(await wrongOption(type, option, prepare), nameBefore(placeOf(option), option));
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

async function initUses(file: JobFile, plan: Plan, common: Args, saying: SayingAt, problems: Problems): Promise<Use[]> {
  // Unknown names and cycles have been reported already.
  if (!problems.isWhole) return [];
  const certain = surelyRun(plan);
  const uses: Use[] = [];
  for (const job of plan.jobs.values()) {
    if (firstDoing(JOB_INIT, job.name, plan.jobs) !== "it") continue;
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
      for (const own of runArgs(job)) {
        const missing: Missing = (argument, text) => {
          // The arguments that a job gets as a step are not known here.
          if (entry === undefined || file.settings.shareArgs || job.checks.in.length > 0) return;
          const isChannel = MANAGER_CHANNELS.some((name) => name === argument);
          const option = isChannel ? optionWith(text, own[argument]) : undefined;
          if (option === undefined) return;
          const at = placeOf(job, undefined, `${argument}.args.${option}`, `${argument}.args`, argument);
          complain(unfilledOption(text, option, argument), at, certain.has(job.name), problems);
        };
        const args = mergeArgs({ own, given: filled, commandLine: common, ...around(job) }, missing);
        uses.push(...usesOf(await place(args, own, job.at), job, entry, certain.has(job.name), problems));
      }
    }
  }
  return uses;
}

/** The stores that jobs give to a worker of a queue. Finds wrong arguments of such jobs, too. */
async function queueUses(file: JobFile, plan: Plan, common: Args, problems: Problems): Promise<Use[]> {
  if (!problems.isWhole) return [];
  const certain = surelyRun(plan);
  const uses: Use[] = [];
  for (const job of plan.jobs.values()) {
    if (job.argsCode !== undefined || firstDoing(QUEUE_MANAGER, job.name, plan.jobs) !== "it") continue;
    for (const { entry, given } of callsOf(job, file)) {
      if (entry?.argsCode !== undefined) continue;
      const filled = fillArgs(given, common, () => {}, plan.environment.all);
      const at = (...names: string[]): Position => placeOf(job, entry, ...names);
      for (const own of runArgs(job)) {
        const args = mergeArgs({ own, given: filled, commandLine: common, ...around(job) }, () => {});
        if (Object.values(args).some(hasTemplate)) continue;
        const isSure = certain.has(job.name);
        for (const { argument, message } of await wrongWorkerArgs(args))
          complain(`${message}.`.replace(/([.?])\.$/, "$1"), at(argument), isSure, problems);
        const inArgs = (option: string): Position => at(`args.${option}`, "args");
        uses.push({ type: args["type"], args: args["args"], at: at("type"), placeOf: inArgs, certain: isSure });
      }
    }
  }
  return uses;
}

/** The option of a channel that holds this template. It has no blanks here, but may be written with them. */
function optionWith(template: string, channel: unknown): string | undefined {
  const options = field(channel, "args");
  if (!isMap(options)) return undefined;
  const packed = (text: string): string => text.replace(/\s/g, "");
  return Object.keys(options).find((name) => packed(textOf(options[name])).includes(packed(template)));
}

/** The arguments that the todo gives to a job. Empty if it does not name the job. */
function callsOf(job: PlannedJob, { todo }: JobFile): { readonly entry?: TodoEntry; readonly given: Args }[] {
  const entries = todo.filter((entry) => entry.job === job.name);
  const calls = entries.flatMap((entry) => runArgs(entry).map((given) => ({ entry, given })));
  return calls.length > 0 ? calls : [{ given: {} }];
}

/** The place of the first of these arguments that the job or the todo has. */
function placeOf(job: PlannedJob, entry: TodoEntry | undefined, ...names: string[]): Position {
  const places = [job.argsAt, entry?.argsAt ?? {}].flatMap((known) => names.flatMap((name) => known[name] ?? []));
  return places[0] ?? entry?.at ?? job.at;
}

/** Records in a lasting store require locks in a lasting store too. */
const LOCKS_IN_MEMORY = `${JOB_INIT} has "chJobs" and no "chLocks": the locks are in the memory of this process, so that other processes may run the same jobs at the same time. Give "chLocks" the same channel`;

function usesOf(args: Args, job: PlannedJob, entry: TodoEntry | undefined, isSure: boolean, problems: Problems): Use[] {
  const at = (...names: string[]): Position => placeOf(job, entry, ...names);
  if (MANAGER_CHANNELS.some((name) => hasTemplate(args[name]))) return [];
  const wrong = wrongManagerArgs(args);
  for (const { argument, message } of wrong) complain(message, at(argument), isSure, problems);
  const { type: jobs = "simple" } = (args["chJobs"] ?? {}) as Args;
  if (isSure && wrong.length === 0 && args["chLocks"] === undefined && jobs !== "simple") {
    problems.warn(LOCKS_IN_MEMORY, at("chJobs"));
  }
  const right = MANAGER_CHANNELS.filter((name) => !wrong.some(({ argument }) => argument === name));
  return right.map((name) => {
    const { type, args: options } = (args[name] ?? {}) as Args;
    const placeOf = (option: string): Position => at(`${name}.args.${option}`, `${name}.args`, name);
    return { type, args: options, at: at(`${name}.type`, name), placeOf, certain: isSure };
  });
}

/** The jobs that surely run: entries without a `when`, and their steps. */
function surelyRun({ jobs, todo }: Plan): ReadonlySet<string> {
  const sure = new Set<string>();
  const visit = (name: string): void => {
    if (sure.has(name)) return;
    sure.add(name);
    for (const step of jobs.get(name)?.steps ?? []) if ("job" in step) visit(step.job);
  };
  for (const { job, when } of todo) if (when === undefined) visit(job);
  return sure;
}

/** The place of the name of an option whose value is at `at`, so that the caret is under the wrong word. */
function nameBefore(at: Position, option: string): Position {
  const line = at.source.line(at.line) ?? "";
  const before = line.slice(0, at.column - 1).trimEnd();
  if (!before.endsWith(":")) return at;
  const key = before.slice(0, -1).trimEnd();
  const written = [option, `"${option}"`, `'${option}'`].find((word) => key.endsWith(word));
  return written === undefined ? at : { ...at, column: key.length - written.length + 1 };
}

/** Reports an error, or a warning if the todo may not get there. */
function complain(message: string, at: Position, certain: boolean, problems: Problems): void {
  if (certain) problems.flaw(message, at);
  else problems.warn(message, at);
}
