import type { Tick } from "@ojm/core";
import type { Args } from "../load/jobfile.js";
import { fillArgs } from "../plan/args.js";
import type { Judgement } from "./deps.js";
import type { Engine } from "./engine.js";
import { SkippedTick, toJobError } from "./error.js";
import { JobExecution } from "./job.js";
import type { Outcome, Request } from "./requests.js";
import { spread } from "./spread.js";

/** Runs what a request asks for: its slot is there, and the jobs that it depends on are done. */
export async function perform(engine: Engine, request: Request, judgements: readonly Judgement[]): Promise<Outcome> {
  try {
    const given = request.given.map((args) => filled(engine, request, args));
    const refused = await refusal(engine, request, given[0] ?? {}, judgements);
    if (refused !== undefined) return refused;
    if (!request.begins) return await runAll(engine, request, given);
    await engine.begin(request.job, given);
    return { status: "completed", args: {} };
  } catch (error) {
    return { status: "failed", error: toJobError(error, request.job.at) };
  }
}

/** Arguments of the todo may hold templates, and find what the job before left behind; others are data. */
function filled(engine: Engine, { entry, job }: Request, args: Args): Args {
  if (entry === undefined) return args;
  const { handedOn, commandLine } = engine;
  const missing = (argument: string, path: string): void => engine.warnMissing(job.name, argument, path);
  return { ...handedOn, ...fillArgs(args, { ...commandLine, ...handedOn }, missing) };
}

/** Asks the code that has a say in whether the job runs. */
async function refusal(
  engine: Engine,
  request: Request,
  given: Args,
  judgements: readonly Judgement[],
): Promise<Outcome | undefined> {
  const when = request.entry?.when;
  if (judgements.length === 0 && when === undefined) return undefined;
  const { job, trigger, caller } = request;
  const args = engine.args(job, job.args[0] ?? {}, given);
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

/** Once for each of the given args and each of the job's own. The args of the outcome are what the last of them left behind. */
async function runAll(engine: Engine, request: Request, given: readonly Args[]): Promise<Outcome> {
  const { job, trigger, caller, tick } = request;
  const all = given.flatMap((args) => (job.args.length > 0 ? job.args : [{}]).map((own) => ({ own, args })));
  const runs = all.map((one, index) => ({ ...one, tick: tick && tickOf(tick, index) }));
  const skips: SkippedTick[] = [];
  const run = async ({ own, args, tick }: (typeof runs)[number]): Promise<Args> => {
    try {
      return await engine.execute(job, engine.args(job, own, args), { trigger, parent: caller, tick });
    } catch (error) {
      if (!(error instanceof SkippedTick)) throw error;
      skips.push(error);
      if (tick !== undefined) engine.tickSkipped(job.name, tick.at, error.message);
      return {};
    }
  };
  const results = job.typeArgs.single ? await inTurn(runs, run) : await spread(engine.dispatch, runs, run);
  const [skip] = skips;
  if (skip !== undefined && skips.length === runs.length) {
    return { status: "skipped", reason: skip.message, intended: true };
  }
  return { status: "completed", args: results.at(-1) ?? {} };
}

/** Each of the args of a schedule has ticks of its own: two of them may make runs of one name. */
function tickOf({ schedule, at }: Tick, index: number): Tick {
  return { schedule: index === 0 ? schedule : `${schedule}/${index + 1}`, at };
}

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
