import { type JobManager, openJobManager } from "@ojm/core";
import type { Args } from "../load/job-file.js";
import { mergeArgs } from "../plan/args.js";
import { type PrepareType, preparing } from "../plan/manager/channel-types.js";
import { JOB_INIT, managerOptions } from "../plan/manager/manager-args.js";
import type { Plan } from "../plan/planned.js";
import { prepareJobFile } from "../prepare.js";

/** Opens the job manager of a job file, if the file puts its channels in a store that outlives a process. */
export async function openManager(
  name: string,
  commandLine: Args,
  prepare: PrepareType,
): Promise<JobManager | undefined> {
  const options = { args: commandLine, channelTypes: preparing(prepare) };
  const { plan, args: common } = await prepareJobFile(name, options);
  const args = initArgs(plan, common);
  if (args === undefined || (args["chJobs"] === undefined && args["chLocks"] === undefined)) return undefined;
  const channels = managerOptions(args);
  for (const config of [channels.chJobs, channels.chLocks]) await preparing(prepare)(config?.type ?? "simple");
  return openJobManager({ ...channels, heartbeatThread: false });
}

/** Finds the arguments with which the todo calls Init. */
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
