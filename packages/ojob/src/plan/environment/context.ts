import type { JobDefinition } from "../../load/job-file.js";
import type { Problems } from "../../text/problem.js";
import type { PlannedJob } from "../planned.js";
import { expectBeside } from "../script.js";
import { withVariables } from "./environment.js";
import { secretsOf } from "./job-secrets.js";
import { variablesOf } from "./layers.js";
import type { Surroundings } from "./surroundings.js";

type Context = Pick<PlannedJob, "asks" | "secretArgs" | "variables" | "environment" | "folder">;

/** What a job gets beside its arguments: its secrets, its environment, and the folder of its scripts. */
export function planContext(job: JobDefinition, around: Surroundings, problems: Problems): Context {
  const { environment, secrets, values } = around;
  const own = secretsOf(job, secrets, problems);
  const layers = variablesOf(job.environment ?? [], environment, { problems, values });
  const variables = { ...layers, ...own.variables };
  return {
    asks: own.names,
    secretArgs: own.args,
    variables,
    environment: withVariables(environment, variables),
    ...(job.typeArgs.pwd !== undefined && { folder: expectBeside(job, "pwd", problems) }),
  };
}
