import { existsSync, statSync } from "node:fs";
import type { PlacedText, SecretDefinition } from "../../load/job-file.js";
import { variableOf } from "../../text/environment.js";
import { JobFileError, type Position } from "../../text/problem.js";
import { readSource } from "../../text/read-source.js";
import { missingFile, saidPath } from "../../text/said-path.js";
import type { Environment } from "./environment.js";
import type { Look } from "./look.js";

/** The most characters of a secret. A larger file is none. */
const MOST = 64 * 1024;

/** Where container engines put secrets, readable by all users of the container. */
const MOUNTED = /^\/(?:var\/)?run\/secrets\//;

/** What is known of a secret: its value, or why there is none. */
type Found = { readonly value: string } | { readonly why: string; readonly at: Position };

/** The secrets of a job file. */
export class Secrets {
  readonly #found: ReadonlyMap<string, Found | undefined>;

  /** `found` has `undefined` for a secret that nobody has looked for. */
  constructor(found: ReadonlyMap<string, Found | undefined> = new Map()) {
    this.#found = found;
  }

  get names(): readonly string[] {
    return [...this.#found.keys()];
  }

  /** The values, to be masked. */
  get values(): readonly string[] {
    return [...this.#found.values()].flatMap((one) => (one !== undefined && "value" in one ? [one.value] : []));
  }

  /** The value of a secret, or what stands for it where nobody has looked. */
  valueOf(name: string): string | undefined {
    const found = this.#found.get(name);
    if (found === undefined) return this.#found.has(name) ? "***" : undefined;
    return "value" in found ? found.value : undefined;
  }

  /** @throws JobFileError with those of the secrets that are missing */
  expect(names: readonly string[]): void {
    const missing = names.flatMap((name) => {
      const found = this.#found.get(name);
      if (found === undefined || "value" in found) return [];
      return [{ severity: "error", message: found.why, at: found.at } as const];
    });
    if (missing.length > 0) throw new JobFileError(missing);
  }
}

/** Looks for the secrets of a job file. The messages name variables and files, and never values. */
export function findSecrets(
  definitions: Iterable<SecretDefinition>,
  environment: Environment,
  { problems, values }: Look,
): Secrets {
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
    // Editors and `echo` end the last line of a file, which is no part of the secret.
    const value = readSource(path, "file of a secret").text.replace(/\r?\n$/, "");
    if (value.trim() === "") return missing(`the file ${path} is empty.`, file.at);
    return value.length > MOST ? missing(`the file ${path} is too large to be a secret.`, file.at) : { value };
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return missing(error.problems.map(({ message }) => message).join(" "), file.at);
  }
}

/** As ssh does, warns of a file that other users can read. In a container there is one user only. */
function warnIfReadable(name: string, { text, at }: PlacedText, warn: (message: string) => void): void {
  const path = saidPath(text, at);
  if (process.platform === "win32" || MOUNTED.test(path) || !existsSync(path)) return;
  const { mode } = statSync(path);
  if ((mode & 0o004) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  warn(`every user of this machine can read the secret "${name}": the mode of ${path} is ${shown}. chmod 600 it.`);
}
