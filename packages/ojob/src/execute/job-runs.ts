import { checkRetry } from "@ojm/core/internal";
import type { Args } from "../load/job-file.js";
import { fillArgs, LOCK_ARGS, type RunArgs } from "../plan/args.js";
import { type PlannedJob, runLimits } from "../plan/planned.js";
import { shownArgs } from "../text/secrets.js";
import { runAttempts } from "./attempts.js";
import { mapConcurrent } from "./dispatch/dispatch.js";
import type { JobOutcome, Judgement, OneRun, Request } from "./dispatch/requests.js";
import type { Engine } from "./engine.js";
import { Running } from "./execution.js";
import { JobExecution } from "./job/job-execution.js";
import { DoneElsewhere, type JobError, SkippedJob, toJobError } from "./runtime/job-error.js";
import type { HandedRun, RefusedRun, RunTick } from "./runtime/open-runs.js";

/** How many runs that were not started are shown one by one. */
const MAX_SHOWN = 10;

/** The longest value of a matrix in the name of a run, in characters. */
const MAX_VALUE = 40;

/** The runs of a request that has its slot: one for each pair of given and own arguments. */
export class JobRuns {
  readonly #engine: Engine;
  readonly #request: Request;
  /** The runs in progress. A failure stops them if the job file says so. */
  readonly #running: Running;
  readonly #failFast: boolean;
  #all: readonly OneRun[] = [];
  readonly #begun = new Set<OneRun>();
  readonly #skips: SkippedJob[] = [];
  readonly #failures = new Map<OneRun, JobError>();
  readonly #stopped = new Set<OneRun>();

  constructor(engine: Engine, request: Request) {
    this.#engine = engine;
    this.#request = request;
    this.#running = new Running(engine.grace, engine.runtime.clock);
    this.#failFast = runLimits(request.contents.job).failFast;
  }

  /** Runs the job unless its dependencies or its `when` refuse. Resolves to the args of the last run. */
  async run(judgements: readonly Judgement[]): Promise<JobOutcome> {
    const { job, begins } = this.#request.contents;
    try {
      const given = await this.#given();
      const refused = await this.#refusal(given[0] ?? {}, judgements);
      if (refused !== undefined) return refused;
      if (begins) {
        await this.#engine.begin(job, given);
        return { status: "completed", args: {} };
      }
      this.#all = await this.#runs(given);
      const [first, ...others] = this.#all;
      if (first !== undefined && others.length === 0) return this.#outcome([await this.#one(first)]);
      const mayBegin = (): boolean => this.#running.refusal === undefined;
      const { limit } = runLimits(job);
      const work = (one: OneRun): Promise<Args> => this.#one(one);
      return this.#outcome(await mapConcurrent(this.#engine.dispatch, this.#all, work, limit, mayBegin));
    } catch (error) {
      if (error instanceof SkippedJob) return { status: "skipped", reason: error.message, intended: true };
      return { status: "failed", error: toJobError(error, job.at) };
    } finally {
      this.#running.close();
    }
  }

  /** The arguments that the request gives to its job: several times if the job runs several times. */
  async #given(): Promise<readonly Args[]> {
    const { entry, job, trigger, caller: parent, given } = this.#request.contents;
    const { handedOn, commandLine } = this.#engine;
    // Only the arguments of the todo have templates. All others are data.
    if (entry === undefined) return given;
    if (entry.argsCode !== undefined) {
      const known = { ...commandLine, ...handedOn };
      const all = await this.#engine.evaluateArgs(entry.argsCode, job, known, { trigger, parent });
      // As in OpenAF, the command line wins here.
      return all.map((args) => ({ ...handedOn, ...args, ...commandLine }));
    }
    const missing = this.#engine.missing(job.name, entry);
    const filled = async (args: Args): Promise<Args> => {
      // Templates may also use the arguments that the previous job left behind.
      const { all } = this.#engine.plan.environment;
      const own = fillArgs(args, { ...commandLine, ...handedOn }, missing, all, job.verbatim);
      return { ...handedOn, ...(await this.#engine.placed(own, args, entry.at)) };
    };
    return Promise.all(given.map(filled));
  }

  /** Asks the code of dependencies and of `when`. Resolves to an outcome if the job may not run. */
  async #refusal(given: Args, judgements: readonly Judgement[]): Promise<JobOutcome | undefined> {
    const { job, trigger, caller: parent, entry } = this.#request.contents;
    const when = entry?.when;
    if (judgements.length === 0 && when === undefined) return undefined;
    const args = await this.#engine.args(job, job.args[0] ?? {}, given);
    const says = (code: Judgement["code"]): Promise<unknown> =>
      new JobExecution(this.#engine, job, args, { trigger, parent }).evaluate(code);
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

  async #runs(given: readonly Args[]): Promise<readonly OneRun[]> {
    const { job, own, trigger, caller: parent, tick, handed } = this.#request.contents;
    const runs = given.map((one) => {
      // A schedule sets `own` from the arguments in the file. If these are code, they are evaluated here.
      const isKnown = own !== undefined && job.argsCode === undefined;
      return isKnown ? [{ own, given: one }] : this.#engine.runsOf(job, one, { trigger, parent });
    });
    const byHand = handed?.run.args ?? {};
    const all = (await Promise.all(runs)).flat();
    return all.map((one, index) => ({ ...withArgs(one, byHand), tick: tick && tickOf(tick, index) }));
  }

  #outcome(results: readonly Args[]): JobOutcome {
    // The failure that stopped the other runs, else that of the first failed run in the list.
    const [inTime] = this.#failures.values();
    const error = this.#failFast ? inTime : this.#all.flatMap((one) => this.#failures.get(one) ?? [])[0];
    if (error !== undefined) {
      this.#logOtherRuns();
      return { status: "failed", error };
    }
    const [skip] = this.#skips;
    const { tick } = this.#request.contents;
    const count = this.#all.length;
    // If there are several runs without a tick, each has been shown already.
    if (skip !== undefined && this.#skips.length === count && (count === 1 || tick !== undefined)) {
      const done = this.#skips.every((one) => one instanceof DoneElsewhere);
      return { status: "skipped", reason: skip.message, intended: true, done };
    }
    return { status: "completed", args: results.at(-1) ?? {} };
  }

  async #one(one: OneRun): Promise<Args> {
    const { job, trigger, caller, handed } = this.#request.contents;
    try {
      const args = await this.#engine.args(job, one.own, one.given);
      if (this.#running.refusal !== undefined) return {};
      this.#begun.add(one);
      const origin = { trigger, parent: caller, tick: one.tick, among: this.#running, label: labelOf(job, args) };
      const given = handed === undefined ? [] : [handed];
      const execute = (more: readonly (HandedRun | RefusedRun)[]): Promise<Args> =>
        this.#engine.execute(job, args, { ...origin, handed: [...given, ...more] });
      const { retry } = job.typeArgs;
      // A run of a schedule in the store has the retry of its schedule.
      if (retry === undefined || handed?.isAdopted === true) return await execute([]);
      return await runAttempts(this.#engine, this.#request, one, checkRetry(job.name, retry), execute);
    } catch (error) {
      if (error instanceof SkippedJob) this.#skipped(one, error);
      else this.#failed(one, toJobError(error, job.at));
      return {};
    }
  }

  #skipped({ tick }: OneRun, skip: SkippedJob): void {
    const { job } = this.#request.contents;
    this.#skips.push(skip);
    if (tick !== undefined) this.#engine.tickSkipped(job.name, tick.at, skip.message);
    else if (this.#all.length > 1) this.#engine.jobSkipped(job.name, skip.message);
  }

  #failed(one: OneRun, error: JobError): void {
    if (this.#running.refusal !== undefined && error.code === "CANCELLED") {
      this.#stopped.add(one);
      return;
    }
    this.#failures.set(one, error);
    // A stop of the whole file has its own reason, and its own grace period.
    if (!this.#failFast || this.#running.refusal !== undefined || this.#engine.refusal !== undefined) return;
    this.#running.stop(this.#reason);
  }

  get #reason(): string {
    return `another run of "${this.#request.contents.job.name}" failed`;
  }

  #logOtherRuns(): void {
    const { job } = this.#request.contents;
    const count = this.#all.length;
    if (count === 1 || !(this.#failFast || job.matrix !== undefined)) return;
    const notBegun = this.#all.filter((one) => !this.#begun.has(one) && !this.#failures.has(one));
    const reason = this.#engine.refusal ?? this.#reason;
    for (const { own, tick } of notBegun.slice(0, MAX_SHOWN)) {
      const label = labelOf(job, own) ?? job.name;
      if (tick !== undefined) this.#engine.tickSkipped(label, tick.at, reason);
      else this.#engine.jobSkipped(label, reason);
    }
    const completed = count - notBegun.length - this.#failures.size - this.#stopped.size - this.#skips.length;
    const counts: [number, string][] = [
      [this.#failures.size, "failed"],
      [this.#stopped.size, "stopped"],
      [notBegun.length, "not started"],
      [this.#skips.length, "skipped"],
      [completed, "completed"],
    ];
    const words = counts.flatMap(([number, word]) => (number > 0 ? [`${number} ${word}`] : []));
    this.#engine.log.line("ERROR", `"${job.name}": ${count} runs, ${words.join(", ")}`, job.name);
  }
}

/** Arguments given with the start of a run win, except those of the lock, which is held already. */
function withArgs({ own, given }: RunArgs, args: Args): RunArgs {
  const isOfLock = (key: string): boolean => LOCK_ARGS.includes(key) && (key in own || key in given);
  const wins = Object.entries(args).filter(([key]) => !isOfLock(key));
  if (wins.length === 0) return { own, given };
  const names = new Set(wins.map(([key]) => key));
  const rest = Object.fromEntries(Object.entries(own).filter(([key]) => !names.has(key)));
  return { own: rest, given: { ...given, ...Object.fromEntries(wins) } };
}

/** Gives each map of arguments its own ticks: two of them may start runs of the same name. */
function tickOf(tick: RunTick, index: number): RunTick {
  return index === 0 ? tick : { ...tick, schedule: `${tick.schedule}/${index + 1}` };
}

/** The name of a run of a matrix in banners and messages: `Build (linux, 22)`. */
function labelOf({ name, matrix, secrets }: PlannedJob, args: Args): string | undefined {
  if (matrix === undefined) return undefined;
  const values = Object.fromEntries(matrix.flatMap((key) => (Object.hasOwn(args, key) ? [[key, args[key]]] : [])));
  const shown = JSON.parse(shownArgs(values, secrets)) as Args;
  const texts = Object.values(shown).map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  const cut = texts.map((text) => (text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text));
  return `${name} (${cut.join(", ")})`;
}
