import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { JobManager, OpenOptions } from "@ojm/core";
import { ojmCommand, visible, storeWords as wordsOf } from "@ojm/core/internal";
import type { Scheduler } from "@ojm/schedule";
import { prepareType } from "../backends.js";
import { lastValue } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { CommandError, EXIT, notFound } from "../errors.js";
import { printError, wantsJson } from "../output/print.js";
import { configuredStore } from "./config.js";
import { FORMS, type JobFileLocation, type Location, locate } from "./locate.js";

/** The first bytes of each SQLite database. */
const BEGIN = Buffer.from("SQLite format 3\0");

/** A file of a LevelDB database. The driver reports a folder with data but without `CURRENT` as damaged. */
const OF_LEVEL = /^(?:CURRENT|MANIFEST-\d+|\d+\.(?:log|ldb|sst))$/;

/**
 * Rejects a file or a folder that is not a database: the path is probably wrong. `create`: whether an empty
 * file, or any folder, becomes a database.
 *
 * @throws CommandError
 */
function refuseOther(store: OpenOptions | undefined, create: boolean): void {
  const { file, path } = store?.args ?? {};
  if (store?.type === "level" && typeof path === "string" && !create && !hasLevel(path))
    throw new CommandError(`the folder ${path} has no LevelDB database, so it is not a store. Is it the right path?`);
  if ((store?.type !== "sqlite" && store?.type !== "db") || typeof file !== "string") return;
  const begin = beginOf(file);
  if (begin === undefined || begin.equals(BEGIN) || (begin.length === 0 && create)) return;
  if (begin.length === 0)
    throw new CommandError(`${file} is an empty file, not a store: no run has used it so far. Is it the right path?`);
  throw new CommandError(`${file} is not an SQLite database, so it is not a store. Is it the right path?`);
}

/** Whether a folder has a LevelDB database; true if it cannot be read: the driver reports why. */
function hasLevel(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => OF_LEVEL.test(name));
  } catch {
    return true;
  }
}

/** The first bytes of a file; `undefined` if it cannot be read: the driver reports why. */
function beginOf(file: string): Buffer | undefined {
  let opened: number | undefined;
  try {
    opened = openSync(file, "r");
    const bytes = Buffer.alloc(BEGIN.length);
    return bytes.subarray(0, readSync(opened, bytes));
  } catch {
    return undefined;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/**
 * Reports once that a store was created: the user may have meant another one. With a relative path, each
 * folder has its own store and its own locks, so a job could run twice without a message.
 */
function tellMade(given: Given, { isRelative, where = "--store", jobs }: Location, file: string | undefined): void {
  if (file === undefined || wantsJson(given)) return;
  const better = `${where === "--store" ? "--store " : `${where}=`}${jobs.type}:${file}`;
  printError(
    isRelative !== true
      ? `ojm: created the store ${file}, which did not exist`
      : `ojm: created the store ${file}. ${where} is relative to this folder: in another folder, it names another store with other locks. Better: ${better}`,
  );
}

/** How a command opens a store. */
export interface OpenStore {
  /** Whether a missing store is created. A read-only command does not create one. */
  readonly create?: boolean;
  /** Whether a second thread keeps the locks of this process. */
  readonly heartbeatThread?: boolean;
}

/** The store that the command line, the environment or a config file names. */
async function storeOf(given: Given): Promise<Location | JobFileLocation> {
  const [written, profile] = [lastValue(given, "store"), lastValue(given, "profile")];
  if (written !== undefined && profile !== undefined)
    throw new CommandError("--store and --profile both name a store: give one of them");
  if (written !== undefined) return locate(written, process.cwd());
  const { OJM_STORE: fromEnvironment } = process.env;
  if (profile === undefined && fromEnvironment) return locate(fromEnvironment, process.cwd(), "OJM_STORE");
  // TAB must not run a program that another user left in a folder.
  const configured = await configuredStore(process.cwd(), profile, { runsModules: given.command !== "__complete" });
  if (configured !== undefined) return configured;
  throw new CommandError(`ojm ${given.command} needs a store: --store ${FORMS}; or OJM_STORE; or ojm.config.json`);
}

/** The files and folders of the store, if it is on a disk of this machine. */
export async function filesOf(given: Given): Promise<readonly string[]> {
  const store = await storeOf(given);
  return "jobFile" in store ? [] : store.files;
}

/** The kind of store of the jobs, as a config names it: its address may contain a password. */
export async function kindOf(given: Given): Promise<string> {
  const store = await storeOf(given);
  return "jobFile" in store ? "job file" : (store.jobs.type ?? "simple");
}

/** The chosen store as text: its type, and its file or hosts. Never a password. */
export async function storeWords(given: Given): Promise<string> {
  const store = await storeOf(given);
  return "jobFile" in store ? basename(store.jobFile) : wordsOf(store.jobs);
}

/** The whole store as text, and what names it: a check of the wrong store would find no problems. */
export async function whichStore(given: Given): Promise<string> {
  const store = await storeOf(given);
  if ("jobFile" in store) return store.jobFile;
  const { jobs, locks, logs = jobs, where = "--store" } = store;
  const [ofJobs, ofLocks, ofLogs] = [jobs, locks, logs].map((one) => wordsOf(one, (path) => path));
  const others = [ofLocks === ofJobs ? "" : `, locks in ${ofLocks}`, ofLogs === ofJobs ? "" : `, logs in ${ofLogs}`];
  return `${ofJobs}${others.join("")}, as ${where} says`;
}

/** Opens the chosen store. The caller closes the manager. */
export async function openStore(
  given: Given,
  { create = false, heartbeatThread = false }: OpenStore = {},
): Promise<JobManager> {
  const store = await storeOf(given);
  if ("jobFile" in store) {
    // It may load packages and channel types.
    if (given.command === "__complete") throw new CommandError("a job file is not run to complete a word");
    const { openJobFile } = await import("./job-file.js");
    return openJobFile(store.jobFile, {});
  }
  if (!create) for (const file of store.files) refuseMissing(file);
  for (const one of [store.jobs, store.locks, store.logs]) refuseOther(one, create);
  const missing = create ? store.files.find((file) => !existsSync(file)) : undefined;
  // TAB must not run a file of the folder.
  const manager = await openLocated(store, heartbeatThread, given.command === "__complete");
  if (create && store.logs !== undefined && !store.files.every((file) => existsSync(file))) await make(store.logs);
  tellMade(given, store, missing);
  return manager;
}

/** Opens a store. An error about its config names the place in the config. */
async function openLocated(
  { jobs, locks, logs, retention, where }: Location,
  heartbeatThread: boolean,
  published: boolean,
): Promise<JobManager> {
  try {
    for (const { type } of [jobs, locks, logs ?? {}]) if (type !== undefined) await prepareType(type, published);
    const { openJobManager } = await import("@ojm/core");
    const more = { ...(logs && { chLogs: logs }), ...(retention !== undefined && { retention }) };
    return await openJobManager({ chJobs: jobs, chLocks: locks, ...more, heartbeatThread });
  } catch (error) {
    const { code, message } = error as { readonly [field: string]: unknown };
    const isOfConfig = code === "INVALID_CONFIG" || code === "UNKNOWN_TYPE";
    throw isOfConfig && where !== undefined ? new CommandError(`${where}: ${message}`) : error;
  }
}

/** Rejects a store that does not exist, or that this user cannot reach. The two get different messages. */
function refuseMissing(file: string): void {
  try {
    statSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM")
      throw new CommandError(`you have no permission to look into ${dirname(file)}, where the store is`, EXIT.denied);
    throw new CommandError(`there is no store at ${file}: no run has made it so far`);
  }
}

/**
 * Creates the store of the logs before the first line: a read-only command rejects a missing store. If this
 * fails, the first line warns.
 */
async function make(logs: OpenOptions): Promise<void> {
  const { openChannel } = await import("@ojm/core");
  await openChannel("oJobManager-logs", logs).then(
    (channel) => channel.close(),
    () => {},
  );
}

/** An exit code, if it is not 0. */
type Code = Promise<number | undefined> | Promise<void>;

/** Calls `look` with the job manager of the chosen store, and closes the manager. */
export async function withStore(
  given: Given,
  look: (manager: JobManager) => Code,
  options?: OpenStore,
): Promise<number> {
  await using manager = await openStore(given, options);
  return (await look(manager)) ?? EXIT.ok;
}

/** The same with a scheduler, which runs no jobs: it only reads and sends requests. */
export function withScheduler(
  given: Given,
  look: (scheduler: Scheduler, manager: JobManager) => Code,
): Promise<number> {
  return withStore(given, async (manager) => {
    const { openScheduler } = await import("@ojm/schedule");
    await using scheduler = openScheduler(manager);
    try {
      // Awaited here: the scheduler must stay open until it has answered.
      return (await look(scheduler, manager)) ?? undefined;
    } catch (error) {
      const { name: type, code, message } = error as { readonly [field: string]: unknown };
      if (type !== "ScheduleError" || code !== "UNKNOWN") throw error;
      const { listed, meant, queueNames, scheduleNames } = await import("./known-names.js");
      const [name = ""] = given.operands;
      if ((await queueNames(manager)).has(name)) {
        const command = ["pause", "resume"].includes(given.command) ? `queue ${given.command}` : "queue show";
        throw notFound(`"${visible(name)}" is a queue, and has no schedule: ${ojmCommand(command, name)}`);
      }
      for await (const { tick, trigger } of manager.history({ name, limit: 1 })) {
        // Its schedule was removed.
        if (tick !== undefined) break;
        const why = `the trigger of its last run is "${visible(trigger)}"`;
        throw notFound(
          `"${visible(name)}" has no schedule, and so no ticks: ${why}. Its runs: ${ojmCommand("runs", name)}`,
        );
      }
      const known = await scheduleNames(manager);
      const others = known.size === 0 ? "The store has none." : `Those of the store: ${listed(known)}.`;
      throw notFound(`${message}.${await meant(name, known)} ${others}`);
    }
  });
}
