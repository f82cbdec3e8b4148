import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { OpenOptions } from "@ojm/core";
import { hint } from "../command-line/parse.js";
import { CommandError } from "../errors.js";
import { type JobFileLocation, type Location, locate } from "./locate.js";

const NAMES = ["json", "yaml", "yml", "js", "mjs", "ts"].map((ending) => `ojm.config.${ending}`);
const KEYS = ["store", "profiles"];
const STORES = ["jobs", "locks", "logs"];

/** The keys of a store in the words of a program. */
const ONE = ["type", "args"];

/** A store in a config: as on the command line, as in a program, or one for each kind of data. */
type WrittenStore =
  | string
  | OpenOptions
  | Readonly<Record<"jobs" | "locks" | "logs", string | OpenOptions | undefined>>;

interface Config {
  readonly store?: WrittenStore;
  readonly profiles?: Readonly<Record<string, { readonly store?: WrittenStore }>>;
}

/** The config file of a folder, or of the nearest one above. */
function findConfig(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = NAMES.map((name) => join(at, name)).find((path) => existsSync(path));
    if (found !== undefined) return found;
    if (dirname(at) === at) return undefined;
  }
}

/** The store that a config file names; `undefined` if there is no config file, or it names none. */
export async function configuredStore(
  folder: string,
  profile: string | undefined,
): Promise<Location | JobFileLocation | undefined> {
  const path = findConfig(folder);
  if (path === undefined) {
    if (profile === undefined) return undefined;
    throw new CommandError(`--profile ${profile}: there is no ${NAMES.join(" or ")} in ${folder} or above it`);
  }
  const config = await readConfig(path);
  await checkKeys(path, config, KEYS);
  const { profiles = {} } = config;
  if (profile !== undefined && !Object.hasOwn(profiles, profile)) {
    const all = Object.keys(profiles);
    throw new CommandError(`${path} has no profile "${profile}".${await hint(profile, all)} It has: ${all.join(", ")}`);
  }
  const store = profile === undefined ? config.store : (profiles[profile]?.store ?? config.store);
  return store === undefined ? undefined : readStore(path, store);
}

async function readConfig(path: string): Promise<Config> {
  let config: unknown;
  try {
    if (/\.[mj]?[jt]s$/.test(path)) config = (await import(pathToFileURL(path).href)).default;
    else if (path.endsWith(".json")) config = JSON.parse(readFileSync(path, "utf8"));
    else config = (await import("yaml")).parse(readFileSync(path, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_UNKNOWN_FILE_EXTENSION")
      throw new CommandError(`${path} cannot be read: ${message.split("\n")[0]}`);
    throw new CommandError(
      `${path} needs Node 22.18 or later, which reads TypeScript: write it as .js, .json or .yaml`,
    );
  }
  if (typeof config === "object" && config !== null && !Array.isArray(config)) return config;
  throw new CommandError(`${path} must be a map, such as { "store": "sqlite:./data/ojm.db" }`);
}

async function checkKeys(path: string, map: object, known: readonly string[]): Promise<void> {
  const wrong = Object.keys(map).find((key) => !known.includes(key));
  if (wrong === undefined) return;
  throw new CommandError(
    `${path}: unknown key "${wrong}".${await hint(wrong, known)} It may have: ${known.join(", ")}`,
  );
}

async function readStore(path: string, store: WrittenStore): Promise<Location | JobFileLocation> {
  const folder = dirname(path);
  if (typeof store === "string") return locate(store, folder);
  if ("type" in store || "args" in store) {
    await checkKeys(path, store, ONE);
    const { jobs, files } = placed(store, folder);
    return { jobs, locks: jobs, files };
  }
  await checkKeys(path, store, STORES);
  const parts = STORES.map((part) => {
    const one = (store as Readonly<Record<string, string | OpenOptions | undefined>>)[part];
    const found = typeof one === "string" ? locate(one, folder) : one && placed(one, folder);
    if (found !== undefined && "jobFile" in found) throw new CommandError(`${path}: "${part}" cannot be a job file`);
    return found;
  });
  const [jobs, locks, logs] = parts;
  if (jobs === undefined || locks === undefined)
    throw new CommandError(`${path}: "store" needs both "jobs" and "locks": locks in memory exclude nobody`);
  const files = parts.flatMap((part) => part?.files ?? []);
  return { jobs: jobs.jobs, locks: locks.jobs, ...(logs && { logs: logs.jobs }), files };
}

/** Which option of a type is a path. */
const PATHS: Readonly<Record<string, string>> = { sqlite: "file", db: "file", level: "path" };

/**
 * A store in the words of a program. Its path begins at the folder of the config, and a command that only
 * looks must not make its file.
 */
function placed(options: OpenOptions, folder: string): { readonly jobs: OpenOptions; readonly files: string[] } {
  const { type = "", args = {} } = options;
  const option = Object.hasOwn(PATHS, type) ? PATHS[type] : undefined;
  const written = option === undefined ? undefined : args[option];
  if (option === undefined || typeof written !== "string" || written.startsWith(":"))
    return { jobs: options, files: [] };
  const path = resolve(folder, written);
  return { jobs: { ...options, args: { ...args, [option]: path } }, files: [path] };
}
