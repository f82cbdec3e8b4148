import { JOB_INIT, JOB_START } from "../../plan/manager/manager-args.js";
import type { Plan } from "../../plan/planned.js";

const REPEATED = ["periodic", "subscribe"];

/**
 * Why a daemon whose todo is done can do nothing any more: all that would start jobs needs the job manager,
 * and Init failed. `undefined` if it may have work.
 */
export function whyIdle({ todo, jobs, settings }: Plan, initFailed: boolean): string | undefined {
  if (settings.daemon !== true || !initFailed) return undefined;
  const mayWork = todo.some(({ job: name }) => {
    const { type = "", steps = [] } = jobs.get(name) ?? {};
    return REPEATED.includes(type) && !steps.some((step) => "job" in step && step.job === JOB_START);
  });
  return mayWork ? undefined : `${JOB_INIT} failed, so the daemon has nothing to do`;
}
