import type { Args } from "../../load/job-file.js";
import { fillArgs } from "../../plan/args.js";
import { requiredText } from "../../plan/file-checks/required.js";
import type { JobStep, PlannedJob } from "../../plan/planned.js";
import type { Variables } from "../../text/environment.js";
import { JobError } from "../runtime/job-error.js";
import type { ExecutionHost } from "./host.js";

/** The arguments that a step gives to its job, with their templates and the `variables` around it filled. */
export async function givenBy(
  { args = {}, argsAt = {}, at }: JobStep,
  job: PlannedJob,
  current: Args,
  host: Pick<ExecutionHost, "placed" | "warnMissing">,
  variables: Variables,
): Promise<Args> {
  if (Object.keys(args).length === 0) return {};
  const missing = (argument: string, written: string, message?: string): void => {
    const place = argsAt[argument] ?? at;
    if (message !== undefined) throw new JobError(requiredText(argument, written, message), { at: place });
    host.warnMissing(job.name, argument, written);
  };
  return host.placed(fillArgs(args, current, missing, variables), args, at);
}

/** What a step hands on. Its own arguments are removed, and the arguments that they hid come back. */
export function withoutOwn(result: Args, own: Args, before: Args): Args {
  const kept = Object.entries(result).filter(([name]) => !Object.hasOwn(own, name));
  const hidden = Object.entries(before).filter(([name]) => Object.hasOwn(own, name));
  return Object.fromEntries([...kept, ...hidden]);
}
