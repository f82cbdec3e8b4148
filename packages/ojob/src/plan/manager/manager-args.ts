import type { JobManagerOptions } from "@ojm/core";
import { isChannelError } from "@ojm/core/backend";
import { checkLogBudget, checkRetention, nearest } from "@ojm/core/internal";
import type { Args } from "../../load/job-file.js";
import { firstTemplate, isMap } from "../../text/template.js";

export const JOB_INIT = "oJobManager Init";

export const JOB_START = "oJobManager Job Start";

/** The channel of the locks. */
export const LOCKS = "oJobManager-locks";

export const STORES = ["chJobs", "chLocks"] as const;

/** The arguments of Init that are channels: those, and the one of the logs of runs. */
export const MANAGER_CHANNELS = ["chJobs", "chLocks", "chLogs"] as const;

/** The limits on retained logs and records of runs, with the checks of their values. */
const LIMITS = { logBudget: checkLogBudget, retention: checkRetention } as const;
const LIMIT_ARGS = ["logBudget", "retention"] as const;

const INIT_ARGS: readonly string[] = [...MANAGER_CHANNELS, ...LIMIT_ARGS];

export interface WrongArg {
  readonly argument: string;
  readonly message: string;
}

/** All problems of the arguments of an Init job. Unknown arguments may be meant for another job. */
export function wrongManagerArgs(args: Args): readonly WrongArg[] {
  const wrong = (argument: string, message: string | undefined): WrongArg[] =>
    message === undefined ? [] : [{ argument, message }];
  return [
    ...Object.keys(args).flatMap((name) => wrong(name, misspelt(name))),
    ...MANAGER_CHANNELS.flatMap((name) => wrong(name, wrongConfig(name, args[name]))),
    ...LIMIT_ARGS.flatMap((name) => wrong(name, wrongLimit(args[name], LIMITS[name]))),
  ];
}

function misspelt(argument: string): string | undefined {
  const near = INIT_ARGS.includes(argument) ? undefined : nearest(argument, INIT_ARGS);
  return near && `${JOB_INIT} has no argument "${argument}". Did you mean "${near}"?`;
}

/** The problem of a limit. A limit with an unfilled template is checked when it is filled. */
function wrongLimit(limit: unknown, check: (limit: unknown) => void): string | undefined {
  if (limit === undefined || limit === null || firstTemplate(textOf(limit)) !== undefined) return undefined;
  try {
    check(limit);
    return undefined;
  } catch (error) {
    if (!isChannelError(error)) throw error;
    return error.message;
  }
}

function wrongConfig(name: string, config: unknown): string | undefined {
  if (config === undefined || config === null) return undefined;
  const { type, args, ...rest }: Args = isMap(config) ? config : {};
  const [extra] = Object.keys(rest);
  if (extra !== undefined) return `"${name}" can only have "type" and "args", not "${extra}".`;
  const isRight = ["undefined", "string"].includes(typeof type) && ["undefined", "object"].includes(typeof args);
  if (isMap(config) && isRight) return undefined;
  return `"${name}" must be a map with "type" and "args", like {type: sqlite, args: {file: ./jobs.db}}.`;
}

/** The problem of an option of a channel with an unfilled variable or template. */
export function unfilledOption(written: string, option: string, channel: string): string {
  const name = /[^\s{}$.:[\]]+/.exec(written)?.[0] ?? "it";
  const fill = written.startsWith("$")
    ? `Set ${name} in the environment`
    : `Add ${name}=… to the command line, or "${name}" to the args`;
  // Without the value, the path would lead to another store than that of the runs that have it.
  return `nothing fills ${written} in "${option}" of "${channel}": this run would use another store than the rest. ${fill}.`;
}

export function unfilledChannel(args: Args): string | undefined {
  for (const channel of MANAGER_CHANNELS) {
    const options = (args[channel] as { readonly args?: Args } | undefined)?.args ?? {};
    for (const [option, value] of Object.entries(options)) {
      const template = firstTemplate(textOf(value));
      if (template !== undefined) return unfilledOption(template, option, channel);
    }
  }
  return undefined;
}

/** The value of an option as text, to search it for templates. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** Converts the arguments of an Init job, which must be valid, to options of the job manager. */
export function managerOptions(given: Args): JobManagerOptions {
  const options: Record<string, unknown> = {};
  for (const name of MANAGER_CHANNELS) {
    const config = given[name];
    if (config === undefined || config === null) continue;
    const { type, args } = config as Args;
    options[name] = { ...(typeof type === "string" && { type }), ...(args !== undefined && args !== null && { args }) };
  }
  for (const name of LIMIT_ARGS) if (given[name] !== undefined && given[name] !== null) options[name] = given[name];
  return options;
}
