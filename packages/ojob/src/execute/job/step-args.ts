import type { Args, CodeBlock } from "../../load/job-file.js";
import { fillArgs } from "../../plan/args.js";
import { requiredText } from "../../plan/file-checks/required.js";
import type { JobStep, PlannedJob } from "../../plan/planned.js";
import { expressionScript } from "../../plan/shortcuts/condition.js";
import type { Variables } from "../../text/environment.js";
import { JobError, within } from "../runtime/job-error.js";
import { isMap } from "../shortcuts/values/paths.js";
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

/**
 * The arguments of the runs of a job whose `args` are code: its value is a map, or a list of maps.
 *
 * @throws JobError at the place of the code
 */
export async function argsOfCode(
  code: CodeBlock,
  job: string,
  evaluate: (script: CodeBlock) => Promise<unknown>,
): Promise<readonly Args[]> {
  const value = await evaluate(expressionScript(code)).catch((error: unknown) => {
    throw within(code, error);
  });
  const maps: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (maps.every(isMap)) return maps;
  const message = `the "args" of "${job}" must be a map or a list of maps, not ${JSON.stringify(value) ?? "nothing"}`;
  throw new JobError(message, { at: { source: code.source, line: code.line, column: code.indent + 1 } });
}

/** What a step hands on. Its own arguments are removed, and the arguments that they hid come back. */
export function withoutOwn(result: Args, own: Args, before: Args): Args {
  const kept = Object.entries(result).filter(([name]) => !Object.hasOwn(own, name));
  const hidden = Object.entries(before).filter(([name]) => Object.hasOwn(own, name));
  return Object.fromEntries([...kept, ...hidden]);
}
