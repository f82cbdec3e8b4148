import type { Args, TodoEntry } from "../../load/job-file.js";
import { runArgs } from "../../plan/args.js";
import { JOB_INIT, JOB_START } from "../../plan/manager/manager-args.js";
import type { Plan, PlannedJob } from "../../plan/planned.js";
import type { JobRequest } from "../dispatch/requests.js";
import type { Engine } from "../engine.js";
import type { JobError } from "../runtime/job-error.js";
import { asWritten } from "../runtime/script-channels.js";
import { Schedules } from "./schedules.js";
import { type Change, Subscriptions } from "./subscriptions.js";

/** The recurring triggers of jobs: schedules, and changes of channels. */
export class Triggers {
  readonly #engine: Engine;
  readonly #schedules: Schedules;
  readonly #subscriptions = new Subscriptions();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#schedules = new Schedules(engine);
  }

  /** Begins the subscription or the schedule of a job, which keeps the process unless `daemon: false`. */
  async begin(job: PlannedJob, given: readonly Args[]): Promise<void> {
    if (job.type === "subscribe") await this.#subscribe(job, given);
    else await this.#schedules.begin(job, given);
  }

  /** Resolves when all changes so far were handled. True if there were any: jobs may have made others. */
  catchUp(): Promise<boolean> {
    return this.#subscriptions.catchUp();
  }

  stopSchedules(): void {
    this.#schedules.stop();
  }

  close(): void {
    this.#subscriptions.close();
    this.#schedules.stop();
  }

  async ended(): Promise<void> {
    this.close();
    await this.#schedules.ended();
  }

  /** Runs a job for every entry and change of its channel, one at a time: the order of changes matters. */
  async #subscribe(job: PlannedJob, given: readonly Args[]): Promise<void> {
    const { log, runtime, dispatch } = this.#engine;
    const { chSubscribe: name = "", onlyFromNow } = job.typeArgs;
    const channel = await runtime.channels.channel(name);
    const onChange = async (change: Change): Promise<void> => {
      const request = { job, given: given.map((args) => ({ ...args, ...asWritten(change) })), trigger: "subscribe" };
      await Promise.all(dispatch.submit(request).map(({ finished }) => finished));
    };
    const warn = (text: string): void => void log.line("WARN", `"${job.name}": ${text}`);
    const onGap = (): void =>
      warn(
        `the job missed changes of the channel "${name}": they came faster than it ran, or while the store was away. It still runs for the last state of each key that changed.`,
      );
    const onDropped = (count: number): void =>
      warn(`${count} changes of the channel "${name}" got no run, because the jobs were stopped.`);
    const onFailure = (error: JobError): void => this.#engine.failed(job.name, error);
    await this.#subscriptions.follow(channel, { onChange, onGap, onDropped }, onFailure, { onlyFromNow });
  }
}

export function sortTodo({ todo, jobs }: Plan): { readonly now: JobRequest[]; readonly shutdown: JobRequest[] } {
  const requests = todo.flatMap((entry) => requestsOf(entry, jobs));
  return {
    now: requests.filter(({ job }) => job.type !== "shutdown"),
    shutdown: requests.filter(({ job }) => job.type === "shutdown").map((one) => ({ ...one, trigger: "shutdown" })),
  };
}

function requestsOf(entry: TodoEntry, jobs: Plan["jobs"]): JobRequest[] {
  const job = jobs.get(entry.job);
  if (job === undefined) return [];
  const begins = job.type === "periodic" || job.type === "subscribe";
  return [{ job, given: runArgs(entry), trigger: "manual", entry, begins }];
}

const REPEATED = ["periodic", "subscribe"];

/** Why a daemon has nothing left to do: every trigger needs the job manager, and Init failed. */
export function whyIdle({ todo, jobs, settings }: Plan, initFailed: boolean): string | undefined {
  if (settings.daemon !== true || !initFailed) return undefined;
  const mayWork = todo.some(({ job: name }) => {
    const { type = "", steps = [] } = jobs.get(name) ?? {};
    return REPEATED.includes(type) && !steps.some((step) => "job" in step && step.job === JOB_START);
  });
  return mayWork ? undefined : `${JOB_INIT} failed, so the daemon has nothing to do`;
}
