import { JobManager } from "@ojm/core";
import { findingTypes, type PrepareType, preparing } from "../execute/backends.js";
import type { Args } from "../load/jobfile.js";
import { loadJobFile } from "../load/load.js";
import { mergeArgs } from "../plan/args.js";
import { checkChannels } from "../plan/channels.js";
import { JOB_INIT, managerOptions } from "../plan/manager-args.js";
import { type Plan, plan } from "../plan/plan.js";
import { commonArgs } from "../plan/setup.js";

/** Opens the job manager that a job file sets up, if it sets up one on channels that outlive a process. */
export async function openManager(
  name: string,
  commandLine: Args,
  prepare: PrepareType,
): Promise<JobManager | undefined> {
  const { file, problems } = loadJobFile(name);
  const common = commonArgs(file, commandLine);
  const planned = plan(file, common, problems);
  await checkChannels(file, planned, common, problems, findingTypes(preparing(prepare)));
  problems.throwErrors();
  const args = initArgs(planned, common);
  if (args === undefined || (args["chJobs"] === undefined && args["chLocks"] === undefined)) return undefined;
  const options = managerOptions(args);
  for (const config of [options.chJobs, options.chLocks]) await preparing(prepare)(config?.type ?? "simple");
  return JobManager.init({ ...options, heartbeatThread: false });
}

/** The arguments with which the todo calls Init. */
function initArgs(planned: Plan, commandLine: Args): Args | undefined {
  const find = (name: string, args: Args): Args | undefined => {
    const job = planned.jobs.get(name);
    if (name === JOB_INIT) return args;
    for (const own of job?.args.length ? job.args : [{}]) {
      const merged = mergeArgs({ own, given: args, commandLine }, () => {});
      for (const step of job?.steps ?? []) {
        const found = "job" in step ? find(step.job, merged) : undefined;
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };
  for (const entry of planned.todo) {
    const found = find(entry.job, { ...commandLine, ...entry.args[0] });
    if (found !== undefined) return found;
  }
  return undefined;
}
