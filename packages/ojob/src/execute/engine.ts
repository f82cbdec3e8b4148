import { availableParallelism } from "node:os";
import { nearest, visible } from "@ojm/core/backend";
import type { Args, Settings } from "../load/jobfile.js";
import type { Log } from "../output/log.js";
import { mergeArgs } from "../plan/args.js";
import type { Plan, PlannedJob, Step } from "../plan/plan.js";
import type { SharedGlobals } from "../script/globals.js";
import type { ThreadPool } from "../script/pool.js";
import { maskUrls } from "../secrets.js";
import { Dispatch } from "./dispatch.js";
import { JobError, SkippedTick } from "./error.js";
import type { Change } from "./follower.js";
import { type ExecutionOrigin, JobExecution } from "./job.js";
import { perform } from "./perform.js";
import type { Outcome, Request } from "./requests.js";
import { Running, type Stoppable } from "./running.js";
import { Schedules } from "./schedules.js";
import type { Shared } from "./shared.js";
import { Slots } from "./slots.js";
import { Subscriptions } from "./subscriptions.js";
import { sortTodo } from "./todo.js";

/** Jobs that run at once where the file does not say: as many as there are processors, and some for those that only wait. */
const FEWEST_THREADS = 4;

/** What an {@link Engine} works with. */
export interface EngineParts {
  readonly plan: Plan;
  readonly commandLine: Args;
  readonly log: Log;
  readonly pool: ThreadPool;
  readonly shared: Shared;
  /** How long jobs have to stop by themselves, in ms. */
  readonly grace: number;
  /** The job files that led to this one, itself the last. Absolute paths. */
  readonly files: readonly string[];
  /** Those of the file that runs this one. */
  readonly slots?: Slots;
}

/** Runs the jobs of one job file. */
export class Engine implements Stoppable {
  readonly log: Log;
  readonly pool: ThreadPool;
  /** How long a process has to end, in ms, once it is told to. */
  readonly grace: number;
  readonly shared: Shared;
  readonly commandLine: Args;
  readonly files: readonly string[];
  readonly dispatch: Dispatch;
  readonly slots: Slots;
  readonly #subscriptions = new Subscriptions();
  /** What the last job of the todo left behind, where `ojob.shareArgs` hands it on. */
  handedOn: Args = {};
  readonly #parts: EngineParts;
  readonly #plan: Plan;
  readonly #running: Running;
  readonly #schedules: Schedules;
  readonly #warned = new Set<string>();
  #well = true;

  constructor(parts: EngineParts) {
    const { plan, commandLine, log, pool, shared, grace, files } = parts;
    this.log = log;
    this.pool = pool;
    this.grace = grace;
    this.shared = shared;
    this.commandLine = commandLine;
    this.files = files;
    this.#parts = parts;
    this.#plan = plan;
    this.#running = new Running(grace, shared.clock);
    const { numThreads = Math.max(FEWEST_THREADS, availableParallelism()), depsTimeout } = plan.settings;
    this.slots = parts.slots ?? new Slots(numThreads);
    this.dispatch = new Dispatch({
      slots: this.slots,
      sequential: isSequential(plan),
      depsTimeout,
      clock: shared.clock,
      run: (request, judgements) => perform(this, request, judgements),
      onOutcome: (request, outcome) => this.#note(request, outcome),
    });
    this.#schedules = new Schedules(this);
  }

  /** The `ojob` section. */
  get settings(): Settings {
    return this.#plan.settings;
  }

  /** The data that scripts keep in `global`. */
  get globals(): SharedGlobals {
    return this.shared.globals;
  }

  /** Whether the time to stop in good order is over. */
  get killed(): boolean {
    return this.#running.killed;
  }

  /** The engine for another job file, run by a job of this one. */
  inside(plan: Plan, commandLine: Args, file: string): Engine {
    return new Engine({ ...this.#parts, plan, commandLine, slots: this.slots, files: [...this.files, file] });
  }

  /** @throws JobError if there is no such job. */
  job(name: string): PlannedJob {
    const job = this.#plan.jobs.get(name);
    if (job !== undefined) return job;
    const near = nearest(name, this.#plan.jobs.keys());
    throw new JobError(`there is no job "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`);
  }

  /** What runs when any job failed. */
  get onAnyError(): readonly Step[] {
    return this.#plan.onAnyError;
  }

  /** The arguments of a job: its own before those that it is given. */
  args(job: PlannedJob, own: Args, given: Args): Args {
    const sources = { own, given, commandLine: this.commandLine };
    return mergeArgs(sources, (argument, path) => this.warnMissing(job.name, argument, path));
  }

  /** Runs the todo and all that comes of it, and in the end the jobs of type shutdown. Resolves to whether all went well. */
  async run(): Promise<boolean> {
    if (!(await this.#openChannels())) return false;
    const todo = sortTodo(this.#plan);
    const stay = this.#plan.settings.daemon ? this.#stay() : () => {};
    try {
      this.dispatch.submit(...todo.now);
      await this.#settled();
      this.#schedules.stop();
      const stopped = this.#running.refusal !== undefined;
      if (todo.shutdown.length > 0 && !this.#running.hurried) {
        this.#running.reopen();
        this.dispatch.reopen();
      }
      this.dispatch.submit(...todo.shutdown);
      await this.dispatch.idle();
      return this.#well && !stopped && this.#running.refusal === undefined;
    } finally {
      this.#subscriptions.close();
      stay();
      this.#schedules.stop();
      this.#running.close();
    }
  }

  /** Resolves when nothing is asked for any more, not even by a change of a channel that is still on its way. */
  async #settled(): Promise<void> {
    let told: boolean;
    do {
      await this.dispatch.idle();
      told = await this.#subscriptions.catchUp();
    } while (told || this.dispatch.requests.open.size > 0);
  }

  /** From now on runs a job of type `subscribe` for every change of its channel, one run at a time: the order of changes has a meaning. */
  async #subscribe(job: PlannedJob, given: readonly Args[]): Promise<void> {
    const name = job.typeArgs.chSubscribe ?? "";
    const channel = await this.shared.channels.channel(name);
    const onChange = async (change: Change): Promise<void> => {
      const asked = { job, given: given.map((args) => ({ ...args, ...change })), trigger: "subscribe" };
      await Promise.all(this.dispatch.submit(asked).map((request) => request.finished));
    };
    const warn = (text: string): void => this.log.line("WARN", `"${job.name}": ${text}`);
    const onGap = (): void =>
      warn(
        `not every change of the channel "${name}" is told: they came faster than the job took them, or while the store was away. Each key that changed is told in its last state.`,
      );
    const onDropped = (count: number): void =>
      warn(`stopped before ${count} changes of the channel "${name}" were told.`);
    await this.#subscriptions.follow(channel, { onChange, onGap, onDropped }, (error) => {
      this.#well = false;
      this.log.failure(job.name, error.describe());
    });
  }

  /** Opens the channels that the file asks for. Without one of them nothing is started. */
  async #openChannels(): Promise<boolean> {
    for (const { name, type, args } of this.#plan.settings.channels?.create ?? []) {
      try {
        await this.shared.channels.call(name, "create", [type, args]);
      } catch (error) {
        const why = maskUrls((error as Error).message);
        this.log.line("ERROR", `the channel "${name}" of ojob.channels cannot be opened: ${why}`);
        return false;
      }
    }
    return true;
  }

  /**
   * Begins what a job runs for again and again: its subscription, or its schedule, for which the process stays unless `daemon: false` is written.
   */
  async begin(job: PlannedJob, given: readonly Args[]): Promise<void> {
    if (this.#running.refusal !== undefined) return;
    if (job.type === "subscribe") await this.#subscribe(job, given);
    else await this.#schedules.begin(job, given);
  }

  /** Says that, and why, a job did not run for a tick of its schedule. Every tick is accounted for. */
  tickSkipped(job: string, at: number, reason: string): void {
    this.log.line("INFO", `"${job}" was skipped at its tick of ${new Date(at).toISOString()}: ${reason}`);
  }

  /** A daemon goes on until it is stopped, with nothing to do too. */
  #stay(): () => void {
    const leave = this.dispatch.expectMore();
    const timer = setInterval(() => {}, 2 ** 30);
    return () => {
      clearInterval(timer);
      leave();
    };
  }

  /**
   * Runs a job for a script that waits for it.
   *
   * @throws JobError if it failed or was skipped
   */
  async call(name: string, args: Args, caller: JobExecution): Promise<Args> {
    const job = this.job(name);
    const outcome = await this.dispatch.call({ job, given: [args], trigger: caller.trigger, caller });
    if (outcome.status === "completed") return outcome.args;
    if (outcome.status === "failed") throw outcome.error;
    throw new JobError(`"${name}" was skipped: ${outcome.reason}`);
  }

  /**
   * Asks for a job to be run as soon as its dependencies and a slot allow it, beside all others. Returns the id of the request.
   *
   * @throws JobError if there is no such job
   */
  launch(name: string, given: readonly Args[]): string {
    const job = this.job(name);
    const { refusal } = this.#running;
    if (refusal !== undefined) throw new JobError(`"${name}" was not launched: ${refusal}`);
    const [request] = this.dispatch.submit({ job, given, trigger: "launch" });
    return request?.id ?? "";
  }

  /** Runs a job once, in a slot that is already there. Rejects with a JobError if it fails. */
  async execute(job: PlannedJob, args: Args, origin: ExecutionOrigin): Promise<Args> {
    const { refusal } = this.#running;
    if (refusal !== undefined) throw new JobError(`"${job.name}" was not started: ${refusal}`);
    const execution = new JobExecution(this, job, args, origin);
    const quiet = job.builtin !== undefined || job.typeArgs.noLog === true;
    const start = performance.now();
    let how: "well" | "badly" | "not" = "badly";
    this.#running.add(execution);
    if (!quiet) this.log.started(job.name);
    if (!quiet) this.log.args(job.name, args, job.secrets);
    try {
      const result = await execution.run();
      how = "well";
      return result;
    } catch (error) {
      if (error instanceof SkippedTick) how = "not";
      throw error;
    } finally {
      this.#running.delete(execution);
      if (!quiet && how !== "not") this.log.ended(job.name, performance.now() - start, how === "well");
    }
  }

  /** Starts nothing more, asks all jobs to stop, and ends them after the grace period; asked again, at once. */
  stop(reason: string): void {
    this.#subscriptions.close();
    this.#schedules.stop();
    this.dispatch.stop(reason);
    this.#running.stop(reason);
  }

  /** Ends all jobs, whatever they are doing. Their runs are closed and their locks released all the same. */
  kill(reason: string): void {
    this.#subscriptions.close();
    this.#schedules.stop();
    this.dispatch.stop(reason);
    this.#running.kill(reason);
  }

  /** Warns, once, of a template that nothing fills. */
  warnMissing(job: string, argument: string, path: string): void {
    const message = `nothing fills {{${path}}} in the argument "${argument}" of the job "${job}".`;
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.log.line("WARN", message);
  }

  /** Says why a job failed or was skipped, if nobody has said so yet. */
  #note({ job, entry, begins, tick }: Request, outcome: Outcome): void {
    if (outcome.status === "completed") {
      if (entry !== undefined && !begins && this.#plan.settings.shareArgs && isSequential(this.#plan))
        this.handedOn = outcome.args;
    } else if (outcome.status === "failed") {
      this.#well = false;
      const { error } = outcome;
      if (!error.shown && this.#running.refusal === undefined) this.log.failure(job.name, error.describe());
    } else if (outcome.intended) {
      if (tick === undefined) this.log.note(`-- ${visible(job.name)}: skipped, ${outcome.reason}`);
    } else {
      this.#well = false;
      this.log.line("ERROR", `job "${job.name}" was skipped: ${outcome.reason}`);
    }
  }
}

function isSequential({ settings }: Plan): boolean {
  return !(settings.async ?? settings.sequential === false);
}
