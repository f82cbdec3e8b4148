import type { Args } from "../../load/job-file.js";
import { runArgs } from "../../plan/args.js";
import { JOB_INIT, JOB_START } from "../../plan/manager/manager-args.js";
import type { Plan, PlannedJob } from "../../plan/planned.js";
import type { JobRequest } from "../dispatch/requests.js";
import type { Engine } from "../engine.js";
import type { JobError } from "../runtime/job-error.js";
import { asWritten } from "../runtime/script-channels.js";
import type { Change, Subscriptions } from "./subscriptions.js";

/** Runs a job for every entry and change of its channel, one at a time: the order of changes matters. */
export async function subscribe(
  engine: Engine,
  subscriptions: Subscriptions,
  job: PlannedJob,
  given: readonly Args[],
): Promise<void> {
  const { log, runtime, dispatch } = engine;
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
  const onFailure = (error: JobError): void => engine.failed(job.name, error);
  await subscriptions.follow(channel, { onChange, onGap, onDropped }, onFailure, { onlyFromNow });
}

const REPEATED = ["periodic", "subscribe"];

/** The requests of the todo: those of now, and those of the jobs of type shutdown. */
export function sortTodo({ todo, jobs }: Plan): { readonly now: JobRequest[]; readonly shutdown: JobRequest[] } {
  const now: JobRequest[] = [];
  const shutdown: JobRequest[] = [];
  for (const entry of todo) {
    const job = jobs.get(entry.job);
    if (job === undefined) continue;
    const request = { job, given: runArgs(entry), entry, begins: REPEATED.includes(job.type) };
    if (job.type === "shutdown") shutdown.push({ ...request, trigger: "shutdown" });
    else now.push({ ...request, trigger: "manual" });
  }
  return { now, shutdown };
}

/** Why a daemon has nothing left to do: every trigger needs the job manager, and Init failed. */
export function whyIdle({ todo, jobs, settings }: Plan, initFailed: boolean): string | undefined {
  if (settings.daemon !== true || !initFailed) return undefined;
  const mayWork = todo.some(({ job: name }) => {
    const { type = "", steps = [] } = jobs.get(name) ?? {};
    return REPEATED.includes(type) && !steps.some((step) => "job" in step && step.job === JOB_START);
  });
  return mayWork ? undefined : `${JOB_INIT} failed, so the daemon has nothing to do`;
}
