import { existsSync } from "node:fs";
import { type ChannelConfig, type JobManager, openJobManager } from "@ojm/core";
import type { Args, JobFile } from "../load/job-file.js";
import { around, fillArgs, mergeArgs, runArgs } from "../plan/args.js";
import {
  askingTypes,
  type PathsOf,
  type PrepareType,
  placeChannels,
  preparing,
  type Saying,
} from "../plan/manager/channels.js";
import { JOB_INIT, managerOptions } from "../plan/manager/manager-args.js";
import type { Plan } from "../plan/planned.js";
import { prepareJobFile } from "../prepare.js";
import { misplacedNote } from "../text/files.js";
import { JobFileError, type Position } from "../text/problem.js";

/**
 * Opens the job manager of a job file, if the file puts its channels in a store that outlives a process.
 *
 * @throws JobFileError if the file is wrong, or its store does not exist: reading a store does not create it
 */
export async function openManager(
  name: string,
  commandLine: Args,
  prepare: PrepareType,
): Promise<JobManager | undefined> {
  const options = { args: commandLine, channelTypes: preparing(prepare), purpose: "store" } as const;
  const { file, plan, args: common } = await prepareJobFile(name, options);
  const pathsOf = askingTypes(preparing(prepare));
  const elsewhere = new Map<string, string>();
  const onMisplaced = (here: string, meant: string): void => void elsewhere.set(meant, here);
  const args = await initArgs(plan, common, (at) => ({ at, typed: commandLine, pathsOf, onMisplaced }));
  if (args === undefined || (args["chJobs"] === undefined && args["chLocks"] === undefined)) return undefined;
  const channels = managerOptions(args);
  const { chJobs = {}, chLocks = {}, chLogs = chJobs } = channels;
  for (const config of [chJobs, chLocks, chLogs]) await expectStore(file, config, pathsOf, elsewhere);
  return openJobManager({ ...channels, heartbeatThread: false });
}

/** Rejects a store whose paths are missing, because opening it would create it. */
async function expectStore(
  { source }: JobFile,
  { type = "simple", args = {} }: ChannelConfig,
  pathsOf: PathsOf,
  elsewhere: ReadonlyMap<string, string>,
): Promise<void> {
  for (const option of await pathsOf(type)) {
    const path = args[option];
    if (typeof path !== "string" || existsSync(path)) continue;
    const here = elsewhere.get(path);
    const why = here === undefined ? ": no run has made it so far." : `. ${misplacedNote(here, path)}`;
    const message = `there is no store at ${path}, the path in ${source.name}${why}`;
    throw new JobFileError([{ severity: "error", message }]);
  }
}

/** Finds the arguments with which the todo calls Init. */
async function initArgs(planned: Plan, common: Args, saying: (at: Position) => Saying): Promise<Args | undefined> {
  const fill = async (written: Args, args: Args, { all }: Plan["environment"], at: Position): Promise<Args> => ({
    ...args,
    ...(await placeChannels(
      fillArgs(written, args, () => {}, all),
      written,
      saying(at),
    )),
  });
  const find = async (name: string, args: Args): Promise<Args | undefined> => {
    const job = planned.jobs.get(name);
    if (name === JOB_INIT || job === undefined) return name === JOB_INIT ? args : undefined;
    for (const own of runArgs(job)) {
      const filled = mergeArgs({ own, given: args, commandLine: common, ...around(job) }, () => {});
      const merged = await placeChannels(filled, own, saying(job.at));
      for (const step of job.steps) {
        if (!("job" in step)) continue;
        const { args: written = {}, at } = step;
        const found = await find(step.job, await fill(written, merged, job.environment, at));
        if (found === undefined) continue;
        // Secrets of jobs that do not run here may be missing.
        planned.secrets.expect(job.requestedSecrets);
        return found;
      }
    }
    return undefined;
  };
  for (const { job, at, args } of planned.todo) {
    const found = await find(job, await fill(args[0] ?? {}, common, planned.environment, at));
    if (found !== undefined) return found;
  }
  return undefined;
}
