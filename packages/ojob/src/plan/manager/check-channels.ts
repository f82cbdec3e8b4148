import type { Args, JobDefinition, JobFile, TodoEntry } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { mergeArgs } from "../args.js";
import type { Plan, PlannedJob } from "../planned.js";
import { JOB_INIT, MANAGER_CHANNELS, wrongManagerArgs } from "./manager-args.js";
import { firstDoing } from "./run-args.js";

/** Why no channel of this type can be opened on this machine, whatever its arguments. Opens nothing. */
export type WhyNoType = (type: string) => Promise<string | undefined>;

/** A channel that the file opens, as far as that is known before the start. */
interface Use {
  readonly type: unknown;
  readonly at: Position;
  /** Whether the todo surely gets there, unless an earlier step fails. Otherwise a problem is a warning. */
  readonly certain: boolean;
}

/**
 * Finds channels that cannot be opened: a misspelt type, a missing package, wrong arguments of Init. Values
 * that a script or a template decides are checked later.
 */
export async function checkChannels(
  file: JobFile,
  plan: Plan,
  commandLine: Args,
  problems: Problems,
  why: WhyNoType,
): Promise<void> {
  const uses = [...declared(file), ...usedByInit(file, plan, commandLine, problems)];
  for (const { type, at, certain } of uses) {
    if (typeof type !== "string" || type === "simple" || isTemplate(type)) continue;
    const message = await why(type);
    if (message === undefined) continue;
    if (certain) problems.error(sentence(message), at);
    else problems.warn(sentence(message), at);
  }
}

function declared({ settings, source }: JobFile): Use[] {
  const start = { source, line: 1, column: 1 };
  return (settings.channels?.create ?? []).map(({ type, typeAt }) => ({ type, at: typeAt ?? start, certain: true }));
}

function usedByInit(file: JobFile, plan: Plan, commandLine: Args, problems: Problems): Use[] {
  // Unknown names and cycles have been reported already.
  if (problems.errors.length > 0) return [];
  const certain = surelyRun(plan);
  return [...file.jobs.values()].flatMap((job) => {
    if (firstDoing(JOB_INIT, job.name, plan.jobs) !== "it") return [];
    const entries = file.todo.filter((entry) => entry.job === job.name);
    const calls = entries.flatMap((entry) =>
      (entry.args.length > 0 ? entry.args : [{}]).map((given) => ({ entry, given })),
    );
    const all: { readonly entry?: TodoEntry; readonly given: Args }[] = calls.length > 0 ? calls : [{ given: {} }];
    return (job.args.length > 0 ? job.args : [{}]).flatMap((own) =>
      all.flatMap(({ entry, given }) => {
        const args = mergeArgs({ own, given, commandLine }, () => {});
        return usesOf(args, job, entry, certain.has(job.name), problems);
      }),
    );
  });
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
  const placeOf = (...names: string[]): Position => {
    const places = [job.argsAt, entry?.argsAt ?? {}].flatMap((known) => names.flatMap((name) => known[name] ?? []));
    return places[0] ?? entry?.at ?? job.at;
  };
  if (MANAGER_CHANNELS.some((name) => isTemplate(args[name]))) return [];
  const wrong = wrongManagerArgs(args);
  for (const { argument, message } of wrong) {
    if (certain) problems.error(message, placeOf(argument));
    else problems.warn(message, placeOf(argument));
  }
  if (certain && wrong.length === 0 && args["chLocks"] === undefined && !isInMemory(args["chJobs"])) {
    problems.warn(LOCKS_IN_MEMORY, placeOf("chJobs"));
  }
  const right = MANAGER_CHANNELS.filter((name) => !wrong.some(({ argument }) => argument === name));
  return right.map((name) => {
    const { type } = (args[name] ?? {}) as Args;
    return { type, at: placeOf(`${name}.type`, name), certain };
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

function isTemplate(value: unknown): boolean {
  return typeof value === "string" && value.includes("{{");
}

function sentence(message: string): string {
  return /[.?!]$/.test(message) ? message : `${message}.`;
}
