import { existsSync, lstatSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { OpenOptions } from "@ojm/core";
import { isMap, parseDuration, placedStore, shellWord, visible, whyUntrusted } from "@ojm/core/internal";
import type { PlannedNotify } from "@ojm/ojob";
import { hint } from "../command-line/parse.js";
import { CommandError, EXIT } from "../errors.js";
import { type JobFileLocation, type Location, locate } from "./locate.js";

const NAMES = ["json", "yaml", "yml", "js", "mjs", "ts"].map((ending) => `ojm.config.${ending}`);
const PROFILES = '{ "prod": { "store": "redis://HOST" } }';
const RETENTION = '{ "olderThan": "90d", "keep": 100 }';

const STORE_FORMS = 'a text, such as "redis://HOST" or "sqlite:ojm.db", or a map with "type" and "args"';
const TYPE_FORM = 'It must be a kind of store, such as "redis" or "sqlite"';

/**
 * The config file that OJM_CONFIG names, or else the one in a folder or the nearest folder above it, up to
 * the home folder or the root of the repository. The folders above these may belong to other users.
 * `named`: OJM_CONFIG names it. A file that was found by searching is trusted less.
 */
function findConfig(folder: string): { readonly path: string; readonly named: boolean } | undefined {
  const { OJM_CONFIG: named } = process.env;
  if (named) return { path: resolve(folder, named), named: true };
  const home = homeFolder();
  for (let at = folder; ; at = dirname(at)) {
    const found = NAMES.map((name) => join(at, name)).find((path) => existsSync(path));
    if (found !== undefined) return { path: found, named: false };
    if (at === home || existsSync(join(at, ".git")) || dirname(at) === at) return undefined;
  }
}

/** The home folder; `undefined` for a user without one, as in a container. */
function homeFolder(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

const ALLOW = "Once you trust it, name it: OJM_CONFIG=";

/** Rejects a config file that was found by searching, if another user could control ojm through it. */
function refuseUntrusted(path: string): void {
  const refuse = (why: string): never => {
    throw new CommandError(`${visible(path)} is not used: ${why}. ${ALLOW}${shellWord(path)}`, EXIT.denied);
  };
  if (isModule(path))
    refuse("it is a program, and ojm runs a config only if OJM_CONFIG names it. Write it as .json or .yaml");
  // Check a link itself too: its creator decides where relative paths start.
  const why = whyUntrusted(lstatSync(path)) ?? whyUntrusted(statSync(path));
  if (why !== undefined) refuse(why.startsWith("others") ? `${why} (chmod go-w ${shellWord(path)} ends that)` : why);
}

/** The store that a config file names; `undefined` if there is no config file. */
export async function configuredStore(
  folder: string,
  profile: string | undefined,
  { runsModules = true }: { readonly runsModules?: boolean } = {},
): Promise<Location | JobFileLocation | undefined> {
  const file = findConfig(folder);
  if (file === undefined) {
    if (profile === undefined) return undefined;
    throw new CommandError(
      `--profile ${profile}: there is no ${NAMES.join(" or ")} in ${folder}, or above it in this repository or home folder`,
    );
  }
  const { path, named } = file;
  if (named && !existsSync(path)) throw new CommandError(`OJM_CONFIG: there is no file ${path}`);
  if (!named) refuseUntrusted(path);
  if (!runsModules && isModule(path)) throw new CommandError(`${path} is a program: it is not run here`);
  const store = await storeIn(path, profile);
  if (!(named && runsModules)) refuseTypePaths(path, store);
  return store;
}

/** Rejects a type that is a path: the module there would be run. */
function refuseTypePaths(path: string, store: Location | JobFileLocation): void {
  if ("jobFile" in store) return;
  for (const { type = "simple" } of [store.jobs, store.locks, store.logs ?? {}]) {
    if (/^[\w-]+$/.test(type)) continue;
    throw new CommandError(
      `${visible(path)}: the type "${visible(type)}" is not used: it is not a plain name such as "redis", and what it names would be run. ${ALLOW}${shellWord(path)}`,
      EXIT.denied,
    );
  }
}

async function storeIn(path: string, profile: string | undefined): Promise<Location | JobFileLocation> {
  const config = await readConfig(path);
  await checkKeys(path, config, ["store", "retention", "profiles", "loads", "notify"]);
  const { store, retention, profiles = {} } = config;
  const read = async (where: string, of: unknown, kept: unknown): Promise<Location | JobFileLocation> =>
    keeping(where, await readStore(`${where}: "store"`, of, dirname(path)), kept);
  if (!isMap(profiles))
    throw new CommandError(`${path}: "profiles" is ${typeText(profiles)}. It must be a map, such as ${PROFILES}`);
  if (profile === undefined) {
    if (store !== undefined) return read(path, store, retention);
    // A program may read it from a variable that is not set here.
    const none = Object.hasOwn(config, "store") ? '"store" is undefined' : 'there is no "store"';
    const all = Object.keys(profiles).join(", ");
    throw new CommandError(
      `${path}: ${none}${all === "" ? "" : `, and --profile is not given. It has the profiles: ${all}`}`,
    );
  }
  if (!Object.hasOwn(profiles, profile)) {
    const all = Object.keys(profiles);
    const has = all.length === 0 ? "It has none" : `It has: ${all.join(", ")}`;
    throw new CommandError(`${path} has no profile "${profile}".${await hint(profile, all)} ${has}`);
  }
  const one = profiles[profile];
  const where = `${path}: the profile "${profile}"`;
  if (!isMap(one))
    throw new CommandError(`${where} is ${typeText(one)}. It must be a map, such as { "store": "redis://HOST" }`);
  await checkKeys(where, one, ["store", "retention"]);
  if (one["store"] !== undefined) return read(where, one["store"], one["retention"]);
  if (store !== undefined) return read(path, store, one["retention"] ?? retention);
  throw new CommandError(`${where} has no "store", and neither has the file outside of its profiles`);
}

/** A store with the retention of the config beside it. */
async function keeping<T extends Location | JobFileLocation>(where: string, store: T, retention: unknown): Promise<T> {
  if (retention === undefined) return store;
  if ("jobFile" in store)
    throw new CommandError(
      `${where}: "retention" has no effect on a job file: write it under oJobManager Init in that file`,
    );
  if (retention === false) return { ...store, retention };
  if (!isMap(retention))
    throw new CommandError(
      `${where}: "retention" is ${typeText(retention)}. It must be false, or a map such as ${RETENTION}`,
    );
  await checkKeys(`${where}: "retention"`, retention, ["olderThan", "keep"]);
  const { olderThan } = retention;
  const span = typeof olderThan === "string" ? parseDuration(olderThan) : olderThan;
  if (span === undefined && olderThan !== undefined)
    throw new CommandError(`${where}: "olderThan" must be a duration with its unit, such as "90d", not "${olderThan}"`);
  return { ...store, retention: { ...retention, ...(span !== undefined && { olderThan: span }) } };
}

/**
 * The packages that a config file names for the scripts of all job files; none without a config. A config
 * that is a module is ignored: running a job file does not run a config.
 */
export async function configuredLoads(folder: string): Promise<readonly string[]> {
  const file = findConfig(folder);
  if (file === undefined || isModule(file.path)) return [];
  const { path, named } = file;
  const { loads = [] } = await readConfig(path);
  // The packages that it names are run.
  if (Array.isArray(loads) && loads.length > 0 && !named) refuseUntrusted(path);
  const isName = (one: unknown): boolean => typeof one === "string" && /^[@\w]/.test(one) && !isModule(one);
  if (Array.isArray(loads) && loads.every(isName)) return loads as string[];
  throw new CommandError(`${path}: "loads" must be a list of names of packages, such as ["@ojm/openaf"]`);
}

/**
 * The receivers of alerts about the runs of `ojm exec`; `undefined` if no config has `notify`. It applies
 * even if the store is named elsewhere, such as in a variable of a crontab.
 */
export async function configuredNotify(folder: string): Promise<PlannedNotify | undefined> {
  const file = findConfig(folder);
  if (file === undefined || (!file.named && isModule(file.path))) return undefined;
  const { path, named } = file;
  const { notify } = await readConfig(path);
  if (notify === undefined || notify === null) return undefined;
  // It may name a program, which is run.
  if (!named) refuseUntrusted(path);
  const { JobFileError, notifyOfConfig } = await import("@ojm/ojob");
  try {
    const text = isModule(path) ? JSON.stringify({ notify }, undefined, 2) : readFileSync(path, "utf8");
    return await notifyOfConfig(path, text);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    // Without the source lines: in JSON, one line may have the secrets of all rules.
    const said = error.problems.map(({ at, message }) => `${path}${at ? `:${at.line}:${at.column}` : ""}: ${message}`);
    throw new CommandError(said.join("\n"));
  }
}

function isModule(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

/** A map of a config file whose values are not checked yet. */
type Unchecked = Readonly<Record<string, unknown>>;

/** A wrong value for a message, without its content: a text or a map may contain a password. */
function typeText(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a text";
  if (typeof value === "object" && value !== null) return "a map";
  return typeof value === "function" ? "a function" : String(value);
}

async function readConfig(path: string): Promise<Unchecked> {
  let config: unknown;
  try {
    if (isModule(path)) config = (await import(pathToFileURL(path).href)).default;
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
  if (isMap(config)) return config;
  throw new CommandError(`${path} must be a map, such as { "store": "sqlite:./data/ojm.db" }`);
}

/** Rejects an unknown key of a map. `where`: the file, and the map in it. */
async function checkKeys(where: string, map: object, known: readonly string[]): Promise<void> {
  const unknown = Object.keys(map).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new CommandError(
    `${where}: unknown key "${unknown}".${await hint(unknown, known)} It may have: ${known.join(", ")}`,
  );
}

/** Reads a store: as on the command line, as in a program, or as a map with one for each kind of data. */
async function readStore(where: string, store: unknown, folder: string): Promise<Location | JobFileLocation> {
  if (!isMap(store) || "type" in store || "args" in store || "backend" in store) {
    const found = await readOne(where, store, folder);
    return "jobFile" in found ? found : { jobs: found.jobs, locks: found.jobs, files: found.files, where };
  }
  await checkKeys(where, store, ["jobs", "locks", "logs"]);
  const { jobs, locks, logs } = store;
  if (jobs === undefined || locks === undefined)
    throw new CommandError(`${where} needs both "jobs" and "locks": locks in memory do not exclude other processes`);
  const [inJobs, inLocks, inLogs] = [
    await readPart(where, "jobs", jobs, folder),
    await readPart(where, "locks", locks, folder),
    logs === undefined ? undefined : await readPart(where, "logs", logs, folder),
  ];
  const files = [inJobs, inLocks, inLogs].flatMap((part) => part?.files ?? []);
  return { jobs: inJobs.jobs, locks: inLocks.jobs, ...(inLogs && { logs: inLogs.jobs }), files, where };
}

/** A store for one kind of data. */
type Placed = Pick<Location, "jobs" | "files">;

async function readPart(where: string, part: string, store: unknown, folder: string): Promise<Placed> {
  const found = await readOne(`${where}: "${part}"`, store, folder);
  if ("jobFile" in found) throw new CommandError(`${where}: "${part}" cannot be a job file`);
  return found;
}

async function readOne(where: string, store: unknown, folder: string): Promise<Placed | JobFileLocation> {
  if (typeof store === "string") return locate(store, folder, where);
  if (!isMap(store)) throw new CommandError(`${where} is ${typeText(store)}. It must be ${STORE_FORMS}`);
  if (hasBackend(store)) return { jobs: store, files: [] };
  await checkKeys(where, store, ["type", "args"]);
  const { type, args = {} } = store;
  if (typeof type !== "string")
    throw new CommandError(`${where}: "type" is ${type === undefined ? "missing" : typeText(type)}. ${TYPE_FORM}`);
  if (!isMap(args))
    throw new CommandError(`${where}: "args" is ${typeText(args)}. It must be a map of the options of "${type}"`);
  // A read-only command must not create the file.
  const { store: placed, path } = placedStore({ type, args }, folder);
  return { jobs: placed, files: path === undefined ? [] : [path] };
}

/** Whether a store contains its backend, as one in a module may. */
function hasBackend(store: Unchecked): store is Required<Pick<OpenOptions, "backend">> {
  const { backend } = store;
  return isMap(backend) && (typeof backend["open"] === "function" || typeof backend["commit"] === "function");
}
