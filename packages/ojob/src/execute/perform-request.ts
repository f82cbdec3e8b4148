import type { Tick } from "@ojm/core";
import type { Args } from "../load/job-file.js";
import { fillArgs } from "../plan/args.js";
import type { Environment } from "../plan/environment/environment.js";
import { requiredText } from "../plan/file-checks/required.js";
import type { PlannedJob } from "../plan/planned.js";
import type { Position } from "../text/problem.js";
import type { Judgement } from "./dispatch/deps.js";
import { mapConcurrent } from "./dispatch/map-concurrent.js";
import type { JobOutcome, Request } from "./dispatch/requests.js";
import type { ExecutionHost } from "./job/host.js";
import { JobExecution } from "./job/job-execution.js";
import { JobError, SkippedJob, toJobError } from "./runtime/job-error.js";

/** What performing a request needs of the engine. */
export interface RequestHost extends ExecutionHost {
  readonly commandLine: Args;
  /** The environment of the file. */
  readonly environment: Environment;
  /** What the last job of the todo left behind, where `ojob.shareArgs` hands it on. */
  readonly handedOn: Args;
  /** Makes the paths of channels absolute, in arguments that the place `at` of a job file says. */
  placed(args: Args, written: Args, at: Position): Promise<Args>;
  /** Begins the schedule or the subscription of a job, unless the jobs are being stopped. */
  begin(job: PlannedJob, given: readonly Args[]): Promise<void>;
  /** Shows why a job did not run for a tick of its schedule. */
  tickSkipped(job: string, at: number, reason: string): void;
  /** Warns once of a template that no argument fills. */
  warnMissing(job: string, argument: string, written: string): void;
}

/** Runs the job of a request that has its slot and whose dependencies are done. */
export async function performRequest(
  engine: RequestHost,
  request: Request,
  judgements: readonly Judgement[],
): Promise<JobOutcome> {
  try {
    const given = await Promise.all(request.given.map((args) => filled(engine, request, args)));
    const refused = await refusal(engine, request, given[0] ?? {}, judgements);
    if (refused !== undefined) return refused;
    if (!request.begins) return await runAll(engine, request, given);
    await engine.begin(request.job, given);
    return { status: "completed", args: {} };
  } catch (error) {
    if (error instanceof SkippedJob) return { status: "skipped", reason: error.message, intended: true };
    return { status: "failed", error: toJobError(error, request.job.at) };
  }
}

/**
 * Fills the templates in arguments of the todo, also from what the job before left behind. Other arguments
 * are data.
 */
async function filled(engine: RequestHost, { entry, job }: Request, args: Args): Promise<Args> {
  if (entry === undefined) return args;
  const { handedOn, commandLine } = engine;
  const missing = (argument: string, written: string, message?: string): void => {
    const at = entry.argsAt[argument] ?? entry.at;
    if (message !== undefined) throw new JobError(requiredText(argument, written, message), { at });
    engine.warnMissing(job.name, argument, written);
  };
  const own = fillArgs(args, { ...commandLine, ...handedOn }, missing, engine.environment.all);
  return { ...handedOn, ...(await engine.placed(own, args, entry.at)) };
}

/**
 * Asks the code of dependencies and of `when` whether the job may run. The result is an outcome if it may
 * not.
 */
async function refusal(
  engine: RequestHost,
  request: Request,
  given: Args,
  judgements: readonly Judgement[],
): Promise<JobOutcome | undefined> {
  const when = request.entry?.when;
  if (judgements.length === 0 && when === undefined) return undefined;
  const { job, trigger, caller } = request;
  const args = await engine.args(job, job.args[0] ?? {}, given);
  const says = (code: Judgement["code"]): Promise<unknown> =>
    new JobExecution(engine, job, args, { trigger, parent: caller }).evaluate(code);
  for (const { job: name, code, key } of judgements) {
    const said = await says(code);
    const reason = `it depends on "${name}", and its ${key} returned ${JSON.stringify(said) ?? "nothing"}, not true`;
    if (said !== true) return { status: "skipped", reason, intended: false };
  }
  if (when !== undefined && (await says(when)) !== true) {
    return { status: "skipped", reason: 'its "when" did not return true', intended: true };
  }
  return undefined;
}

/**
 * Runs the job once for each pair of given and own arguments. The outcome has what the last run left behind.
 */
async function runAll(engine: RequestHost, request: Request, given: readonly Args[]): Promise<JobOutcome> {
  const { job, trigger, caller, tick } = request;
  const all = given.flatMap((args) => (job.args.length > 0 ? job.args : [{}]).map((own) => ({ own, args })));
  const runs = all.map((one, index) => ({ ...one, tick: tick && tickOf(tick, index) }));
  const skips: SkippedJob[] = [];
  const run = async ({ own, args, tick }: (typeof runs)[number]): Promise<Args> => {
    try {
      return await engine.execute(job, await engine.args(job, own, args), { trigger, parent: caller, tick });
    } catch (error) {
      if (!(error instanceof SkippedJob)) throw error;
      skips.push(error);
      if (tick !== undefined) engine.tickSkipped(job.name, tick.at, error.message);
      else if (runs.length > 1) engine.jobSkipped(job.name, error.message);
      return {};
    }
  };
  const results = job.typeArgs.single ? await inTurn(runs, run) : await mapConcurrent(engine.dispatch, runs, run);
  const [skip] = skips;
  // Of several runs without a tick, each has been shown.
  if (skip !== undefined && skips.length === runs.length && (runs.length === 1 || tick !== undefined)) {
    return { status: "skipped", reason: skip.message, intended: true };
  }
  return { status: "completed", args: results.at(-1) ?? {} };
}

/** Gives each of the arguments of a schedule ticks of its own: two of them may start runs of one name. */
function tickOf({ schedule, at }: Tick, index: number): Tick {
  return { schedule: index === 0 ? schedule : `${schedule}/${index + 1}`, at };
}

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
