import type { Args } from "../load/job-file.js";
import { fillArgs } from "../plan/args.js";
import type { Environment } from "../plan/environment/environment.js";
import { requiredText } from "../plan/file-checks/required.js";
import type { PlannedJob } from "../plan/planned.js";
import type { Judgement } from "./dispatch/deps.js";
import type { JobOutcome, Request } from "./dispatch/requests.js";
import { JobExecution } from "./job/job-execution.js";
import { type RunsHost, runAll } from "./run-all.js";
import { JobError, SkippedJob, toJobError } from "./runtime/job-error.js";

/** What performing a request needs of the engine. */
export interface RequestHost extends RunsHost {
  readonly commandLine: Args;
  /** The environment of the file. */
  readonly environment: Environment;
  /** What the last job of the todo left behind, where `ojob.shareArgs` hands it on. */
  readonly handedOn: Args;
  /** Begins the schedule or the subscription of a job, unless the jobs are being stopped. */
  begin(job: PlannedJob, given: readonly Args[]): Promise<void>;
}

/** Runs the job of a request that has its slot and whose dependencies are done. */
export async function performRequest(
  engine: RequestHost,
  request: Request,
  judgements: readonly Judgement[],
): Promise<JobOutcome> {
  try {
    const given = await givenBy(engine, request);
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

/** The arguments that a request gives to its job: several times if the job runs several times. */
async function givenBy(engine: RequestHost, request: Request): Promise<readonly Args[]> {
  const { entry, job, trigger, caller: parent } = request;
  if (entry?.argsCode === undefined) return Promise.all(request.given.map((args) => filled(engine, request, args)));
  const { handedOn, commandLine } = engine;
  const all = await engine.evaluateArgs(entry.argsCode, job, { ...commandLine, ...handedOn }, { trigger, parent });
  // As in OpenAF, the command line wins here.
  return all.map((args) => ({ ...handedOn, ...args, ...commandLine }));
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
