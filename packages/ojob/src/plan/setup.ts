import type { Args, JobFile } from "../load/job-file.js";
import { namesDays } from "../output/file-names.js";
import { MODULE_PARAMETERS } from "../script/compile.js";
import type { Setup } from "../script/protocol.js";
import type { Problems } from "../text/problem.js";
import { commandLineValue } from "./args.js";
import type { Environment } from "./environment/environment.js";
import { findLoad } from "./packages.js";
import { checkScript, warnIfMisplaced } from "./script.js";

/** What scripts of the file find beside the functions that are always there. */
export function planSetup(file: JobFile, { added }: Environment, problems: Problems): Setup {
  const modules = [...file.code].map(([name, block]) => {
    checkScript(block, "code", name, problems, MODULE_PARAMETERS);
    return { name, code: block.code, file: block.source.path, line: block.line };
  });
  const loads = (file.settings.loads ?? []).flatMap(({ text, at }) =>
    file.code.has(text) ? [text] : (findLoad(text, at, problems) ?? []),
  );
  for (const path of [file.settings.logToFile?.logFolder, file.settings.unique?.pidFile]) {
    if (path !== undefined) warnIfMisplaced(path.text, path.at, problems);
  }
  const template = file.settings.logToFile?.filenameTemplate;
  // Like any text, the template may be written as a number.
  if (template !== undefined && !namesDays(String(template))) {
    problems.error(
      `"filenameTemplate" is ${JSON.stringify(template)}: without {{timedate}} in it there is no file a day.`,
    );
  }
  const variables = loads.length > 0 && Object.keys(added).length > 0 && { variables: added };
  return { loads, modules, ...(file.init !== undefined && { init: file.init }), ...variables };
}

/**
 * The arguments of all jobs: `init`, the environment if the file wants it, and the command line. With `texts`
 * the variables stay texts.
 */
export function commonArgs(file: JobFile, commandLine: Args, environment: Environment, texts: boolean): Args {
  const variables = Object.entries(file.settings.argsFromEnvs ? environment.all : {});
  const fromEnvironment = variables.map(([name, value]) => [name, texts ? value : commandLineValue(value ?? "")]);
  return {
    ...Object.fromEntries(fromEnvironment),
    ...(file.init !== undefined && { init: file.init }),
    ...commandLine,
  };
}
