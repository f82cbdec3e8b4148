import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { JobManager } from "@ojm/core";
import { type Args, commandLineValue, openManagerOf } from "@ojm/ojob";
import { prepareType } from "../backends.js";
import type { Given } from "../command-line/spec.js";
import { CommandError } from "../errors.js";

/** Reads `FILE [key=value …]`: a job file, and the arguments for it. */
export function fileOperands({ command, operands: [file, ...words] }: Given): {
  readonly file: string;
  readonly args: Args;
} {
  if (file === undefined) throw new CommandError(`ojm ${command} needs a job file: ojm ${command} FILE`);
  return { file, args: argsOf(words) };
}

/** Reads `key=value …`. */
export function argsOf(words: readonly string[]): Args {
  const pairs = words.map((word): [string, unknown] => {
    const split = word.indexOf("=");
    if (split <= 0) throw new CommandError(`"${word}" is not an argument: arguments are written key=value`);
    return [word.slice(0, split), commandLineValue(word.slice(split + 1))];
  });
  return Object.fromEntries(pairs);
}

/** Opens the job manager that a job file sets up by `oJobManager Init`. */
export async function openJobFile(file: string, args: Args): Promise<JobManager> {
  const manager = await openManagerOf(file, args, prepareType);
  if (manager !== undefined) return manager;
  throw new CommandError(`${file} keeps its runs in memory: give oJobManager Init a "chJobs" and "chLocks" that last`);
}

/** What scripts may call besides what their file loads: the packages of the config, and those of `--load`. */
export async function loadsOf(given: Given): Promise<string[]> {
  const { configuredLoads } = await import("./config.js");
  return [...(await configuredLoads(process.cwd())), ...(given.values["load"] ?? []).map(findLoad)];
}

/** The absolute path of a file, or else the name of a package. */
function findLoad(name: string): string {
  const path = resolve(name);
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  if (/^[./\\]|\.[cm]?[jt]s$/.test(name)) throw new CommandError(`--load ${name}: there is no such file`);
  return name;
}
