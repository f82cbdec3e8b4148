import { existsSync, statSync } from "node:fs";
import { parseEnv } from "node:util";
import type {
  EnvironmentLayer,
  JobDefinition,
  JobFile,
  PlacedText,
  SecretDefinition,
  SecretUse,
} from "../load/job-file.js";
import { isVariableName, notVariableName, type Variables, variableOf } from "../text/environment.js";
import { missingFile, readSource, saidPath } from "../text/files.js";
import { didYouMean, JobFileError, type Position, type Problems } from "../text/problem.js";
import { fillVariables, requiredVariable } from "../text/template.js";

type Texts = Readonly<Record<string, string>>;

export interface Environment {
  /** The variables that job files have added to the environment of the process. */
  readonly added: Texts;
  readonly all: Variables;
}

export const PROCESS_ENVIRONMENT: Environment = { added: {}, all: process.env };

/** An environment with further variables, which win. */
export function withVariables(environment: Environment, added: Texts): Environment {
  // Most jobs add nothing: they share one map.
  if (Object.keys(added).length === 0) return environment;
  return { added: { ...environment.added, ...added }, all: { ...environment.all, ...added } };
}

/** The environment of a job. A job that is a step adds its variables to the environment around it. */
export function environmentOf(job: { environment: Environment; variables: Texts }, around?: Environment): Environment {
  return around === undefined ? job.environment : withVariables(around, job.variables);
}

interface Look {
  readonly problems: Problems;
  /**
   * `needed`: the file is about to run, so each secret and each variable must exist. A check may run on
   * another machine: `found` uses those that exist, and `named` does not read the values of secrets.
   */
  readonly values: "needed" | "found" | "named";
}

/** The variables that layers add. A later one wins, and may name those before: `PATH: /opt/bin:${PATH}`. */
export function variablesOf(layers: readonly EnvironmentLayer[], below: Environment, look: Look): Texts {
  let added: Texts = {};
  for (const layer of layers) {
    const known = withVariables(below, added);
    const more = "file" in layer ? readEnvFile(layer, look.problems) : textsOf(layer, known, look);
    added = { ...added, ...more };
  }
  return added;
}

type FileLayer = Extract<EnvironmentLayer, { readonly required: boolean }>;
type TextLayer = Exclude<EnvironmentLayer, FileLayer>;

function textsOf({ variables }: TextLayer, known: Environment, { problems, values }: Look): Texts {
  const entries = variables.map(({ name, text, at }) => {
    const value = fillVariables(text, known.all, (written, message) => {
      // If the file is only checked, its variables may be set elsewhere.
      if (values !== "needed") return;
      if (message !== undefined) problems.error(requiredVariable(written, message), at);
      else problems.warn(`nothing fills ${written} in the variable "${name}".`, at);
    });
    if (value.includes("\0")) problems.error(`"${name}" holds a NUL, which no variable can hold.`, at);
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

/** Reads a file of NAME=value. Problems are placed in the job file: the lines may hold secrets. */
function readEnvFile({ file, required }: FileLayer, problems: Problems): Texts {
  const { text, at } = file;
  const path = saidPath(text, at);
  if (!existsSync(path)) {
    if (required) problems.error(`${missingFile(text, at)} If it may be missing: { path: …, required: false }.`, at);
    return {};
  }
  try {
    const content = readSource(path, "file of variables").text;
    const variables = parseEnv(content) as Texts;
    checkLines(content, variables, file, problems);
    return Object.fromEntries(Object.entries(variables).filter(([name]) => isVariableName(name)));
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    for (const { message } of error.problems) problems.error(message, at);
    return {};
  }
}

/** Reports names that cannot be variables, and warns of lines that Node ignores silently. */
function checkLines(content: string, variables: Texts, { text, at }: PlacedText, problems: Problems): void {
  const lines = content.split(/\r\n|\n|\r/);
  for (const name of Object.keys(variables)) {
    if (isVariableName(name)) continue;
    const line = lines.findIndex((one) => one.replace(/^\s*(?:export\s+)?/, "").startsWith(name)) + 1;
    problems.error(`${text}, line ${line}: ${notVariableName(name)}`, at);
  }
  const values = Object.values(variables).filter((value) => value.includes("\n"));
  for (const [index, line] of lines.entries()) {
    const written = line.trim();
    if (written === "" || written.startsWith("#") || written.includes("=")) continue;
    // A line within a multi-line value has no name of its own.
    const part = written.replace(/["'`].*$/, "").replaceAll("\\n", "\n");
    if (values.some((value) => value.includes(part))) continue;
    problems.warn(`${text}, line ${index + 1}, is left out: a line is NAME=value, or begins with #.`, at);
  }
}

/** The most characters of a secret. A larger file is rejected. */
const MAX_SECRET = 64 * 1024;

/** Where container engines put secrets, readable by all users of the container. */
const MOUNTED = /^\/(?:var\/)?run\/secrets\//;

/** The known facts of a secret: its value, or why it has none. */
type Found = { readonly value: string } | { readonly why: string; readonly at: Position };

export class Secrets {
  readonly #found: ReadonlyMap<string, Found | undefined>;

  /** `found` has `undefined` for a secret that was not looked up. */
  constructor(found: ReadonlyMap<string, Found | undefined> = new Map()) {
    this.#found = found;
  }

  get names(): readonly string[] {
    return [...this.#found.keys()];
  }

  get values(): readonly string[] {
    return [...this.#found.values()].flatMap((one) => (one !== undefined && "value" in one ? [one.value] : []));
  }

  /** The value of a secret, or a placeholder if it was not looked up. */
  valueOf(name: string): string | undefined {
    const found = this.#found.get(name);
    if (found === undefined) return this.#found.has(name) ? "***" : undefined;
    return "value" in found ? found.value : undefined;
  }

  /** @throws JobFileError with the missing ones of these secrets */
  expect(names: readonly string[]): void {
    const missing = names.flatMap((name) => {
      const found = this.#found.get(name);
      if (found === undefined || "value" in found) return [];
      return [{ severity: "error", message: found.why, at: found.at } as const];
    });
    if (missing.length > 0) throw new JobFileError(missing);
  }
}

/** Looks up the secrets of a job file. The messages name variables and files, never values. */
function findSecrets(definitions: Iterable<SecretDefinition>, environment: Environment, how: Look): Secrets {
  const { problems, values } = how;
  const found = new Map<string, Found | undefined>();
  for (const definition of definitions) {
    const { name, at, env, file } = definition;
    if (env !== undefined && file !== undefined) {
      problems.error(`the secret "${name}" has both "env" and "file": which of them has its value?`, at);
    }
    if (file !== undefined) warnIfReadable(name, file, (message) => problems.warn(message, file.at));
    const one = values === "named" ? undefined : look(definition, environment);
    found.set(name, one);
    if (values === "needed" && one !== undefined && "why" in one) problems.error(one.why, one.at);
  }
  return new Secrets(found);
}

function look({ name, at, env, file }: SecretDefinition, { all }: Environment): Found {
  const missing = (why: string, where = at): Found => ({ why: `the secret "${name}" is missing: ${why}`, at: where });
  if (file !== undefined) return lookInto(file, missing);
  const value = variableOf(all, env ?? "");
  if (value === undefined) return missing(`the variable ${env} of the environment is not set.`);
  return value === "" ? missing(`the variable ${env} of the environment is empty.`) : { value };
}

function lookInto(file: PlacedText, missing: (why: string, at: Position) => Found): Found {
  const path = saidPath(file.text, file.at);
  if (!existsSync(path)) return missing(missingFile(file.text, file.at), file.at);
  try {
    // Editors and `echo` end the last line of a file with a line break, which does not belong to the secret.
    const value = readSource(path, "file of a secret").text.replace(/\r?\n$/, "");
    if (value.trim() === "") return missing(`the file ${path} is empty.`, file.at);
    return value.length > MAX_SECRET ? missing(`the file ${path} is too large to be a secret.`, file.at) : { value };
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return missing(error.problems.map(({ message }) => message).join(" "), file.at);
  }
}

/** Warns of a file that other users can read, as ssh does. A container has one user only. */
function warnIfReadable(name: string, { text, at }: PlacedText, warn: (message: string) => void): void {
  const path = saidPath(text, at);
  if (process.platform === "win32" || MOUNTED.test(path) || !existsSync(path)) return;
  const { mode } = statSync(path);
  if ((mode & 0o004) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  warn(`every user of this machine can read the secret "${name}": the mode of ${path} is ${shown}. chmod 600 it.`);
}

interface JobSecrets {
  readonly names: readonly string[];
  readonly args: Texts;
  readonly variables: Texts;
}

export function secretsOf(job: JobDefinition, secrets: Secrets, problems: Problems): JobSecrets {
  const uses = (job.secrets ?? []).filter((use) => isKnown(use, secrets, problems));
  const twice = (what: string, where: string): string =>
    `"${job.name}" has "${what}" under "${where}" and as a secret. Write one of them.`;
  const layers = (job.environment ?? []).flatMap((layer) => ("variables" in layer ? layer.variables : []));
  const args: [string, string][] = [];
  const variables: [string, string][] = [];
  for (const { secret, at, arg, env } of uses) {
    const value = secrets.valueOf(secret);
    if (env !== undefined) {
      if (!isVariableName(env)) problems.error(notVariableName(env), at);
      else if (layers.some(({ name }) => name === env)) problems.error(twice(env, "env"), at);
      else if (value !== undefined) variables.push([env, value]);
    }
    const name = arg ?? (env === undefined ? secret : undefined);
    if (name === undefined) continue;
    if (job.args.some((own) => Object.hasOwn(own, name))) problems.error(twice(name, "args"), at);
    else if (value !== undefined) args.push([name, value]);
  }
  const names = uses.map(({ secret }) => secret);
  return { names, args: Object.fromEntries(args), variables: Object.fromEntries(variables) };
}

function isKnown({ secret, at }: SecretUse, { names }: Secrets, problems: Problems): boolean {
  if (names.includes(secret)) return true;
  const define = ` Define it under "ojob": secrets: { ${secret}: { env: NAME } }.`;
  const hint = didYouMean(secret, names) || define;
  problems.error(`there is no secret "${secret}".${hint}`, at);
  return false;
}

export interface Surroundings {
  readonly environment: Environment;
  readonly secrets: Secrets;
  readonly values: Look["values"];
}

/** The surroundings of the jobs of a file without variables and secrets. */
export const NOTHING_AROUND: Surroundings = {
  environment: PROCESS_ENVIRONMENT,
  secrets: new Secrets(),
  values: "named",
};

/** Reads the environment of a job file. `below` is the environment that runs the file. */
export function surroundingsOf({ settings }: JobFile, below: Environment, look: Look): Surroundings {
  const environment = withVariables(below, variablesOf(settings.environment ?? [], below, look));
  const secrets = findSecrets(settings.secrets?.values() ?? [], environment, look);
  return { environment, secrets, values: look.values };
}
