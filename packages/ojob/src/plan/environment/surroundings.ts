import type { JobFile } from "../../load/job-file.js";
import { type Environment, PROCESS_ENVIRONMENT, withVariables } from "./environment.js";
import { variablesOf } from "./layers.js";
import type { Look } from "./look.js";
import { findSecrets, Secrets } from "./secrets.js";

/** What the jobs of a file find around them. */
export interface Surroundings {
  /** The environment of the file. */
  readonly environment: Environment;
  readonly secrets: Secrets;
  readonly values: Look["values"];
}

/** What the jobs of a file without variables and secrets find. */
export const NOTHING_AROUND: Surroundings = {
  environment: PROCESS_ENVIRONMENT,
  secrets: new Secrets(),
  values: "named",
};

/** Reads what a job file says of its environment. `below` is the environment that runs the file. */
export function surroundingsOf({ settings }: JobFile, below: Environment, look: Look): Surroundings {
  const environment = withVariables(below, variablesOf(settings.environment ?? [], below, look));
  const secrets = findSecrets(settings.secrets?.values() ?? [], environment, look);
  return { environment, secrets, values: look.values };
}
