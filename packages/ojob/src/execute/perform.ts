import type { Args } from "../load/jobfile.js";
import { fillArgs } from "../plan/args.js";
import type { Judgement } from "./deps.js";
import type { Engine } from "./engine.js";
import { toJobError } from "./error.js";
import { JobExecution } from "./job.js";
import type { Outcome, Request } from "./requests.js";
import { spread } from "./spread.js";

/** Runs what a request asks for: its slot is there, and the jobs that it depends on are done. */
export async function perform(engine: Engine, request: Request, judgements: readonly Judgement[]): Promise<Outcome> {
  try {
    const given = request.given.map((args) => filled(engine, request, args));
    const refused = await refusal(engine, request, given[0] ?? {}, judgements);
    if (refused !== undefined) return refused;
    if (request.entry !== undefined && request.job.type === "subscribe") {
      await engine.subscribe(request.job, given);
      return { status: "completed", args: {} };
    }
    return { status: "completed", args: await runAll(engine, request, given) };
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

/** Once for each of the given args and each of the job's own. Resolves to what the last of them left behind. */
async function runAll(engine: Engine, { job, trigger, caller }: Request, given: readonly Args[]): Promise<Args> {
  const runs = given.flatMap((args) => (job.args.length > 0 ? job.args : [{}]).map((own) => ({ own, args })));
  const run = ({ own, args }: (typeof runs)[number]): Promise<Args> =>
    engine.execute(job, engine.args(job, own, args), { trigger, parent: caller });
  const results = job.typeArgs.single ? await inTurn(runs, run) : await spread(engine.dispatch, runs, run);
  return results.at(-1) ?? {};
}

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
