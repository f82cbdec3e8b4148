import type { EnvironmentLayer } from "../../load/job-file.js";
import { fillVariables } from "../../text/variables.js";
import { requiredVariable } from "../file-checks/required.js";
import { readEnvFile } from "./env-file.js";
import { type Environment, withVariables } from "./environment.js";
import type { Look } from "./look.js";

/**
 * The variables that layers add to an environment. A later layer wins, and may name the variables of those
 * before it: `PATH: /opt/bin:${PATH}`.
 */
export function variablesOf(
  layers: readonly EnvironmentLayer[],
  below: Environment,
  look: Look,
): Readonly<Record<string, string>> {
  let added: Readonly<Record<string, string>> = {};
  for (const layer of layers) {
    const known = withVariables(below, added);
    added = { ...added, ...("file" in layer ? fileOf(layer, look) : textsOf(layer, known, look)) };
  }
  return added;
}

type FileLayer = Extract<EnvironmentLayer, { readonly required: boolean }>;
type TextLayer = Exclude<EnvironmentLayer, FileLayer>;

function fileOf({ file, required }: FileLayer, { problems }: Look): Record<string, string> {
  return readEnvFile(file, required, problems);
}

function textsOf({ variables }: TextLayer, known: Environment, { problems, values }: Look): Record<string, string> {
  const entries = variables.map(({ name, text, at }) => {
    const value = fillVariables(text, known.all, (written, message) => {
      // Where the file is only looked at, its variables may be set elsewhere.
      if (values !== "needed") return;
      if (message !== undefined) problems.error(requiredVariable(written, message), at);
      else problems.warn(`nothing fills ${written} in the variable "${name}".`, at);
    });
    if (value.includes("\0")) problems.error(`"${name}" holds a NUL, which no variable can hold.`, at);
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}
