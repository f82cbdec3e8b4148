import { nearest } from "@ojm/core/internal";
import type { JobDefinition, SecretUse } from "../../load/job-file.js";
import { isVariableName, notVariableName } from "../../text/environment.js";
import type { Problems } from "../../text/problem.js";
import type { Secrets } from "./secrets.js";

/** The secrets that a job gets. */
export interface JobSecrets {
  /** The names of the secrets. */
  readonly names: readonly string[];
  /** The values by the names of arguments. */
  readonly args: Readonly<Record<string, string>>;
  /** The values by the names of variables. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Hands a job the secrets that it asks for. */
export function secretsOf(job: JobDefinition, secrets: Secrets, problems: Problems): JobSecrets {
  const uses = (job.secrets ?? []).filter((use) => isKnown(use, secrets, problems));
  const args: [string, string][] = [];
  const variables: [string, string][] = [];
  for (const { secret, at, arg, env } of uses) {
    const value = secrets.valueOf(secret);
    if (env !== undefined) {
      if (!isVariableName(env)) problems.error(notVariableName(env), at);
      else if (hasVariable(job, env)) problems.error(twice(job, env, "env"), at);
      else if (value !== undefined) variables.push([env, value]);
    }
    const name = arg ?? (env === undefined ? secret : undefined);
    if (name === undefined) continue;
    if (job.args.some((own) => Object.hasOwn(own, name))) problems.error(twice(job, name, "args"), at);
    else if (value !== undefined) args.push([name, value]);
  }
  const names = uses.map(({ secret }) => secret);
  return { names, args: Object.fromEntries(args), variables: Object.fromEntries(variables) };
}

function isKnown({ secret, at }: SecretUse, { names }: Secrets, problems: Problems): boolean {
  if (names.includes(secret)) return true;
  const near = nearest(secret, names);
  const define = ` Define it under "ojob": secrets: { ${secret}: { env: NAME } }.`;
  const hint = near === undefined ? define : ` Did you mean "${near}"?`;
  problems.error(`there is no secret "${secret}".${hint}`, at);
  return false;
}

function hasVariable({ environment = [] }: JobDefinition, name: string): boolean {
  return environment.some((layer) => "variables" in layer && layer.variables.some((one) => one.name === name));
}

function twice({ name }: JobDefinition, what: string, where: string): string {
  return `"${name}" has "${what}" under "${where}" and as a secret. Write one of them.`;
}
