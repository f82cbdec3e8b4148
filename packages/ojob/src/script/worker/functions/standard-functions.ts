import { isMap } from "../../../text/template.js";
import { call, logLine, pause, printText } from "../bridge.js";
import { ExitError } from "../job.js";
import { jobFolder, now } from "../state.js";
import { $ch } from "./channel.js";
import { jsonParse, shellResult, stringify } from "./data.js";
import { $from } from "./from.js";
import { clone, merge, portable, templify } from "./values.js";

function toText(value: unknown): string {
  return typeof value === "object" && value !== null && !(value instanceof Error)
    ? String(stringify(value))
    : String(value);
}

function sleep(ms: unknown): void {
  const time = Number(ms);
  if (!Number.isFinite(time) || time < 0)
    throw new TypeError(`sleep takes a number of milliseconds, not ${String(ms)}`);
  pause(time);
}

/** Ends the run of the job file: running jobs are asked to stop, and no other job starts. */
function exit(code: unknown = 0): never {
  const number = Number(code);
  if (!Number.isInteger(number) || Math.abs(number) > MAX_EXIT_CODE) {
    throw new TypeError(`exit takes a whole number from 0 to ${MAX_EXIT_CODE}, not ${String(code)}`);
  }
  try {
    // Negative codes wrap around, as in the system: many scripts of OpenAF call exit(-1).
    call("exit", number & MAX_EXIT_CODE);
  } catch (error) {
    // The requested stop may reach this script before the answer.
    if ((error as { readonly code?: unknown }).code !== "CANCELLED") throw error;
  }
  throw new ExitError(number);
}

const MAX_EXIT_CODE = 255;

/** The name of a lock. A number is valid too: the command line turns a name of digits into a number. */
function lockName(name: unknown, verb: string): string {
  if ((typeof name === "string" && name !== "") || isNumber(name)) return String(name);
  throw new TypeError(`jobLocks.${verb} takes the name of a lock, as in ${verb}("daily"), not ${kindOf(name)}`);
}

function positive(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  throw new TypeError(`${what} is a number of milliseconds above 0, not ${kindOf(value)}`);
}

/** The locks of the job manager, with the calls of OpenAF. */
const jobLocks = {
  unlock: (name: unknown): unknown => call("unlock", lockName(name, "unlock")),
  /** Waits for the lock, for `tries` times `wait` ms at most. Returns whether it has the lock. */
  lock(name: unknown, wait: unknown = 500, tries: unknown = 5, timeout?: unknown): unknown {
    const most = (timeout ?? undefined) === undefined ? undefined : positive(timeout, "the timeout of jobLocks.lock");
    return call("lock", lockName(name, "lock"), positive(wait, "the wait of jobLocks.lock") * Number(tries), most);
  },
  isLocked: (name: unknown): unknown => call("isLocked", lockName(name, "isLocked")),
  extendTimeout: (name: unknown, timeout: unknown): unknown =>
    call("extendLock", lockName(name, "extendTimeout"), positive(timeout, "the timeout of jobLocks.extendTimeout")),
};

function kindOf(value: unknown): string {
  if (value === "") return "an empty text";
  if (Array.isArray(value)) return "a list";
  if (isMap(value)) return "a map";
  return typeof value === "function" ? "a function" : String(value);
}

function getEnv(name: string, otherwise?: string): string | undefined {
  return process.env[name] ?? otherwise;
}

/** Whether it is a number other than `NaN`. */
function isNumber(value: unknown): boolean {
  return typeof value === "number" && !Number.isNaN(value);
}

/** A call on the queue of the process. */
const onQueue =
  (verb: string) =>
  (...parameters: unknown[]): unknown =>
    call("queue", verb, parameters);

const functions = {
  isArray: (value: unknown): boolean => Array.isArray(value),
  /** `null` counts as a value. */
  isDef: (value: unknown): boolean => value !== undefined,
  isFunction: (value: unknown): boolean => typeof value === "function",
  isMap,
  isNull: (value: unknown): boolean => value === null,
  isNumber,
  isString: (value: unknown): boolean => typeof value === "string",
  isUnDef: (value: unknown): boolean => value === undefined,
  log: (message: unknown): void => logLine("INFO", toText(message)),
  logWarn: (message: unknown): void => logLine("WARN", toText(message)),
  logErr: (message: unknown): void => logLine("ERROR", toText(message)),
  print: (value: unknown = ""): void => printText(`${toText(value)}\n`),
  printnl: (value: unknown = ""): void => printText(toText(value)),
  printErr: (value: unknown = ""): void => printText(`${toText(value)}\n`, true),
  sprint: (value: unknown): void => printText(`${stringify(value)}\n`),
  sleep,
  exit,
  now,
  nowUTC: now,
  getEnv,
  $env: getEnv,
  genUUID: (): string => crypto.randomUUID(),
  merge,
  clone,
  stringify,
  jsonParse,
  templify,
  $from,
  $ch,
  $job: (name: string, args?: Record<string, unknown>): unknown => call("job", String(name), args ?? {}),
  oJobManagerLaunchJob: (name: string, args?: unknown): unknown => call("launch", String(name), args ?? {}),
  each: (item: unknown, job?: string): unknown => call("each", item, job),
  sh: (command: unknown, options?: unknown): unknown =>
    shellResult(call("sh", Array.isArray(command) ? command : String(command), options)),
  $get: (key: string): unknown => call("get", String(key)),
  $set: (key: string, value: unknown): unknown => call("set", String(key), value),
  af: {
    toYAML: (value: unknown): unknown => call("toYAML", portable(value)),
    fromYAML: (text: string): unknown => call("fromYAML", String(text)),
  },
  __ojm: {
    /** The folder of the job, for functions of files under `loads`. */
    get pwd(): string {
      return jobFolder();
    },
  },
  oJobQueue: { add: onQueue("add"), del: onQueue("del") },
  __oJobQueue: {
    ...{ size: onQueue("size"), stop: onQueue("stop"), purge: onQueue("purge") },
    ...{ add: onQueue("add"), del: onQueue("del"), send: onQueue("send"), delete: onQueue("delete") },
    /** An item stays with its job until the job ends, so there is nothing to extend. */
    increaseVisibility: (): boolean => true,
    receive(): never {
      throw new Error("receive() has no counterpart: write a job, and add items for it by oJob Queue Add");
    },
  },
  __oJobManager: {
    jobLocks,
    get jobList(): string[] {
      return Object.keys(call("openRuns") as object);
    },
    /** The start time of each of them, in ms since 1970. */
    get startTime(): unknown {
      return call("openRuns");
    },
  },
} as const;

export function installFunctions(): void {
  for (const [name, value] of Object.entries(functions)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }
}
