import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Args, JobFile } from "../load/job-file.js";
import { namesDays } from "../output/daily-files.js";
import { MODULE_PARAMETERS } from "../script/compile.js";
import type { NamedPackage, Setup } from "../script/protocol.js";
import { missingFile, saidPath } from "../text/files.js";
import type { Position, Problems } from "../text/problem.js";
import { isMap } from "../text/template.js";
import { commandLineValue } from "./args.js";
import type { Environment } from "./environment.js";
import { checkScript, warnIfMisplaced } from "./script.js";

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
  // The template may be written as a number, like any text.
  if (template !== undefined && !namesDays(String(template))) {
    const shown = JSON.stringify(template);
    problems.error(`"filenameTemplate" is ${shown}: without {{timedate}} in it, there is only one file for all days.`);
  }
  const variables = loads.length > 0 && Object.keys(added).length > 0 && { variables: added };
  return { loads, modules, ...(file.init !== undefined && { init: file.init }), ...variables };
}

/** The arguments of all jobs: `init`, the environment if requested, and the command line. */
export function commonArgs(file: JobFile, commandLine: Args, environment: Environment, texts: boolean): Args {
  const variables = Object.entries(file.settings.argsFromEnvs ? environment.all : {});
  const fromEnvironment = variables.map(([name, value]) => [name, texts ? value : commandLineValue(value ?? "")]);
  const init = file.init !== undefined && { init: file.init };
  return { ...Object.fromEntries(fromEnvironment), ...init, ...commandLine };
}

export const OPENAF = "@ojm/openaf";

/** A name of a package, or of a part of one: the name, and the part. */
const NAME = /^((?:@[a-z0-9~_-][\w.~-]*\/)?[a-z0-9~_-][\w.~-]*)(\/[\w./~-]+)?$/i;

/** What `ojob.loads` names: a file beside the job file, or else a package. */
function findLoad(text: string, at: Position, problems: Problems): string | NamedPackage | undefined {
  const path = saidPath(text, at);
  if (existsSync(path)) return path;
  const [, name] = NAME.exec(text) ?? [];
  const found = name === undefined ? undefined : findPackage(text, dirname(at.source.path));
  if (found !== undefined) return found;
  if (name === undefined || /\.[cm]?[jt]s$/.test(text)) problems.error(missingFile(text, at), at);
  else problems.error(missingPackage(text, name, at), at);
  return undefined;
}

function missingPackage(text: string, name: string, at: Position): string {
  // The package of that name on npm belongs to another project.
  if (/^(?:ojm[/-])?openaf$/i.test(text)) {
    return `there is neither a file nor a package "${text}", beside ${at.source.name} or with ojm. The functions of OpenAF come with ojm under another name: write loads: ["${OPENAF}"]`;
  }
  const what = text.startsWith("@") ? "no package" : "neither a file nor a package";
  return `there is ${what} "${text}", beside ${at.source.name} or with ojm. Install the package in the folder of that file: npm install ${name}`;
}

/** Finds a package: where the job file is, then where ojm is, then where the running program is. */
export function findPackage(name: string, folder: string): NamedPackage | undefined {
  for (const from of [folder, dirname(fileURLToPath(import.meta.url)), mainFolder()]) {
    const entry = entryOf(name, from);
    if (entry !== undefined) return { name, entry };
  }
  return undefined;
}

/** The real folder of the program, even if it was started by a link. */
function mainFolder(): string {
  const path = resolve(process.argv[1] ?? ".");
  return dirname(existsSync(path) ? realpathSync(path) : path);
}

function entryOf(name: string, folder: string): string | undefined {
  const require = createRequire(join(folder, "-"));
  try {
    const entry = require.resolve(name);
    // A built-in module of Node has no path.
    return isAbsolute(entry) ? entry : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") return undefined;
    return importedEntry(name, require.resolve.paths(name) ?? []);
  }
}

/** The entry of a package that only `import` can resolve. */
function importedEntry(name: string, folders: readonly string[]): string | undefined {
  const [, own = "", part = ""] = NAME.exec(name) ?? [];
  const folder = folders.map((one) => join(one, own)).find((one) => existsSync(join(one, "package.json")));
  if (folder === undefined) return undefined;
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly exports?: unknown };
  const hasParts = isMap(exports) && Object.keys(exports).some((key) => key.startsWith("."));
  const target = targetOf(hasParts ? exports[`.${part}`] : exports);
  return target === undefined ? undefined : join(folder, target);
}

/** The file that Node imports if a package has conditional exports. */
function targetOf(target: unknown): string | undefined {
  if (typeof target === "string") return target;
  if (typeof target !== "object" || target === null) return undefined;
  const known = Object.entries(target).filter(([name]) => /^(node|import|module-sync|default|\d+)$/.test(name));
  return known.map(([, one]) => targetOf(one)).find((one) => one !== undefined);
}
