import type { Variables } from "../../text/environment.js";

/** The environment in which something of a job file runs. */
export interface Environment {
  /** What job files have added to the environment of the process. */
  readonly added: Readonly<Record<string, string>>;
  /** All variables. */
  readonly all: Variables;
}

/** The environment of this process. */
export const PROCESS_ENVIRONMENT: Environment = { added: {}, all: process.env };

/** An environment with further variables, which win. */
export function withVariables(environment: Environment, added: Readonly<Record<string, string>>): Environment {
  // Most jobs add nothing: they share one map.
  if (Object.keys(added).length === 0) return environment;
  return { added: { ...environment.added, ...added }, all: { ...environment.all, ...added } };
}

/** The environment of a job, which a job that is a step of another one adds to that of the other. */
export function environmentOf(
  job: { readonly environment: Environment; readonly variables: Readonly<Record<string, string>> },
  around: Environment | undefined,
): Environment {
  return around === undefined ? job.environment : withVariables(around, job.variables);
}
