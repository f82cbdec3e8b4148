import { unknownOption } from "../channel/backend/config.js";
import { encodeValue } from "../channel/encoding/json.js";
import { ChannelError } from "../channel/errors.js";
import { parseStore } from "../channel/store-text.js";
import { isSignal } from "../util/abort.js";
import { ABOVE_ZERO, checkedDuration, type InMs } from "../util/duration.js";
import { ownNameProblem } from "../util/own-names.js";
import { isCount, isMap } from "../util/shape.js";
import { valueText } from "../util/text.js";
import { refusing } from "./errors.js";
import { checkLogBudget, type LogBudgetOptions } from "./logs/logs.js";
import { isOnceLock, ONCE_LOCK } from "./once-lock.js";
import type {
  JobManagerOptions,
  OnceCallOptions,
  OnceOptions,
  PruneOptions,
  RateTerms,
  RetentionOptions,
  RunOptions,
  StartClaim,
  Tick,
} from "./types.js";

const TTL = 15_000;
const HOUR = 3_600_000;
const WAIT = 2_500;
const LONGEST_TRIGGER = 1_000;
/** The largest args, and the largest meta, in bytes of JSON. */
const LARGEST_MAP = 4_096;
const LONGEST_ONCE = 200;

const CHANNEL = ["type", "args", "backend"];
const MANAGER = ["chJobs", "chLocks", "chLogs", "logBudget", "ttl", "heartbeatThread", "retention", "clock"];
const RUN = [
  ...["timeout", "wait", "trigger", "lock", "permits", "rate", "permitWait", "args", "meta"],
  ...["once", "retry", "signal", "waitSignal"],
];
/** Options for the other packages of ojm. */
const RUN_INTERNAL = ["claim", "group", "record"];

/** The options of a manager, with their durations in ms. */
export interface CheckedManagerOptions extends Omit<InMs<JobManagerOptions>, "logBudget" | "retention"> {
  readonly ttl: number;
  readonly logBudget?: InMs<LogBudgetOptions>;
  readonly retention?: InMs<RetentionOptions> | false;
}

/**
 * Checks options. With a misspelled `chLocks`, the locks would be in memory, and a job could run twice at
 * once.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function checkManagerOptions(options: JobManagerOptions): CheckedManagerOptions {
  checkNames("a job manager", options, MANAGER);
  const { ttl = TTL, logBudget, retention, ...others } = options;
  const { chJobs, chLocks, chLogs, heartbeatThread } = others;
  for (const [name, channel] of Object.entries({ chJobs, chLocks, chLogs })) {
    if (channel !== undefined) checkNames(`"${name}" of a job manager`, channel, CHANNEL);
  }
  if (heartbeatThread !== undefined && typeof heartbeatThread !== "boolean") {
    throw new ChannelError(
      "INVALID_CONFIG",
      `heartbeatThread must be true or false, not ${valueText(heartbeatThread)}`,
    );
  }
  return {
    ...others,
    ttl: checkedDuration("ttl", ttl, refuseConfig, ABOVE_ZERO),
    ...(logBudget !== undefined && { logBudget: checkLogBudget(logBudget) }),
    ...(retention !== undefined && { retention: checkRetention(retention) }),
  };
}

/**
 * The options of a manager whose store is a text.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function optionsOf(text: string, options: JobManagerOptions): JobManagerOptions {
  const { store } = parseStore(text);
  const twice = ["chJobs", "chLocks"].find((name) => name in options);
  if (twice === undefined) return { ...options, chJobs: store, chLocks: store };
  return refuseConfig(`openJobManager has its store twice: as a text, and as "${twice}". Give one of them`);
}

function refuseConfig(message: string): never {
  throw new ChannelError("INVALID_CONFIG", message);
}

/**
 * Checks the retention of a store, and resolves the duration to ms.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function checkRetention(retention: unknown): InMs<RetentionOptions> | false {
  if (retention === false) return retention;
  checkNames('"retention" of a job manager', retention, ["olderThan", "keep"]);
  const { olderThan, ...others } = retention as RetentionOptions;
  const { keep } = others;
  if (keep !== undefined && !isCount(keep))
    refuseConfig(`retention.keep must be a whole number from 0 up, not ${valueText(keep)}`);
  if (olderThan === undefined) return others;
  return { ...others, olderThan: checkedDuration("retention.olderThan", olderThan, refuseConfig, 1) };
}

function checkNames(whose: string, options: unknown, known: readonly string[]): void {
  if (!isMap(options))
    throw new ChannelError("INVALID_CONFIG", `the options of ${whose} must be a map, not ${valueText(options)}`);
  const problem = unknownOption(whose, options as object, known);
  if (problem !== undefined) throw new ChannelError("INVALID_CONFIG", problem);
}

/** The options of a run, checked, with defaults and with durations in ms. */
export interface CheckedOptions extends Omit<InMs<RunOptions>, "once" | "rate"> {
  readonly timeout: number;
  readonly wait: number;
  readonly trigger: string;
  readonly once?: InMs<OnceOptions>;
  readonly rate?: RateTerms;
}

/**
 * Checks the options of a run and fills in the defaults. An invalid timeout must not silently become the
 * default of one hour.
 *
 * @throws RunError `INVALID`
 */
export function checkRunOptions(name: string, options: RunOptions): CheckedOptions {
  const refuse = refusing(name);
  if (typeof name !== "string" || name === "") refuse("the name of a job must be a text that is not empty");
  const reserved = ownNameProblem(name);
  if (reserved !== undefined) refuse(reserved);
  if (!isMap(options)) return refuse(`the options of a run of "${name}" must be a map, not ${valueText(options)}`);
  const problem = unknownOption(`a run of "${name}"`, options, RUN, RUN_INTERNAL);
  if (problem !== undefined) refuse(problem);
  const { trigger = "manual", lock, permits, args, meta, claim, signal, waitSignal }: RunOptions = options;
  const timeout = checkedDuration(`timeout of "${name}"`, options.timeout ?? HOUR, refuse, ABOVE_ZERO);
  const wait = checkedDuration(`wait of "${name}"`, options.wait ?? WAIT, refuse);
  // Limit the text: a trigger that fills the record would leave no room for the end of the run.
  if (typeof trigger !== "string" || trigger.length > LONGEST_TRIGGER) {
    refuse(`trigger of "${name}" must be a text of at most ${LONGEST_TRIGGER} characters`);
  }
  const isOwn = lock === undefined || lock === name || (claim !== undefined && isOnceLock({ name, lock }));
  const wrongLock = isOwn ? undefined : lockProblem(lock);
  if (wrongLock !== undefined) refuse(`lock of "${name}": ${wrongLock}`);
  const wrong = permits === undefined ? undefined : permitsProblem(permits);
  if (wrong !== undefined) refuse(wrong);
  const rate = options.rate === undefined ? undefined : checkRate(options.rate, refuse);
  if (options.permitWait !== undefined && permits === undefined && rate === undefined)
    refuse(`permitWait of "${name}" needs permits or a rate`);
  const permitWait = checkedDuration(`permitWait of "${name}"`, options.permitWait ?? wait, refuse);
  if (signal !== undefined && !isSignal(signal)) refuse(`signal of "${name}" must be an AbortSignal`);
  if (waitSignal !== undefined && !isSignal(waitSignal)) refuse(`waitSignal of "${name}" must be an AbortSignal`);
  const kept = {
    ...(args !== undefined && { args: copyOf("args", args, refuse) }),
    ...(meta !== undefined && { meta: copyOf("meta", meta, refuse) }),
    ...(permits !== undefined && { permits: { ...permits } }),
    ...(rate !== undefined && { rate }),
    ...((permits !== undefined || rate !== undefined) && { permitWait }),
  };
  if (claim !== undefined && !isClaim(claim)) refuse(`claim of "${name}" must have the functions "ops" and "refused"`);
  const isPlain =
    signal === undefined &&
    args === undefined &&
    meta === undefined &&
    claim === undefined &&
    lock === undefined &&
    permits === undefined &&
    rate === undefined &&
    options.record === undefined &&
    options.once === undefined;
  if (isPlain && waitSignal === undefined) return { timeout, wait, trigger };
  const { once, lock: _, rate: __, ...others } = options;
  // The lock of its own name is the default: the record does not mention it.
  const checked = { ...others, ...kept, ...(lock !== undefined && lock !== name && { lock }), timeout, wait, trigger };
  return once === undefined ? checked : { ...checked, once: checkOnce(once, refuse) };
}

/** The most permits of a run: each is a part of the commit that takes its lock. */
const MOST_PERMITS = 8;

/** The most runs that may have a permit at once, and the longest name of one. */
const LARGEST_LIMIT = 1_000;
const LONGEST_PERMIT = 200;

/** Why a text cannot name a permit, or a number cannot be its limit; `undefined` if both can. */
export function permitProblem(name: unknown, limit: unknown, least: number): string | undefined {
  if (typeof name !== "string" || name === "" || name.length > LONGEST_PERMIT)
    return `the name of a permit must be a text of 1 to ${LONGEST_PERMIT} characters, not ${valueText(name)}`;
  if (isCount(limit) && limit >= least && limit <= LARGEST_LIMIT) return undefined;
  return `the limit of the permit "${name}" must be a whole number from ${least} to ${LARGEST_LIMIT}, not ${valueText(limit)}`;
}

/** Why a value cannot be the permits of a run; `undefined` if it can. */
export function permitsProblem(permits: unknown): string | undefined {
  if (!isMap(permits)) return `permits must be a map such as { stripe: 10 }, not ${valueText(permits)}`;
  const all = Object.entries(permits);
  if (all.length === 0 || all.length > MOST_PERMITS) return `permits must have 1 to ${MOST_PERMITS} names`;
  return all.map(([name, limit]) => permitProblem(name, limit, 1)).find((problem) => problem !== undefined);
}

/** The most runs that may begin in one window, and the longest window: each start leaves an entry for it. */
const LARGEST_RATE = 10_000;
const LONGEST_WINDOW = 30 * 24 * HOUR;

/** Why a value cannot be the rate of a run; `undefined` if it can. */
export function rateProblem(rate: unknown): string | undefined {
  return problemOf((refuse) => checkRate(rate, refuse));
}

/** What `check` refuses; `undefined` if it refuses nothing. */
function problemOf(check: (refuse: (what: string) => never) => unknown): string | undefined {
  try {
    check((what) => {
      throw new Error(what);
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function checkRate(rate: unknown, refuse: (what: string) => never): RateTerms {
  if (!isMap(rate))
    return refuse(`rate must be a map such as { name: "smtp", max: 100, per: "1m" }, not ${valueText(rate)}`);
  const problem = unknownOption("rate", rate, ["name", "max", "per"]);
  if (problem !== undefined) refuse(problem);
  const { name, max, per } = rate as { readonly [option: string]: unknown };
  if (typeof name !== "string" || name === "" || name.length > LONGEST_PERMIT)
    return refuse(`the name of a rate must be a text of 1 to ${LONGEST_PERMIT} characters, not ${valueText(name)}`);
  const what = `of the rate "${name}"`;
  if (!isCount(max) || max < 1 || max > LARGEST_RATE)
    return refuse(`max ${what} must be a whole number from 1 to ${LARGEST_RATE}, not ${valueText(max)}`);
  // A store counts in whole ms.
  return { name, max, per: Math.ceil(checkedDuration(`per ${what}`, per, refuse, 1, LONGEST_WINDOW)) };
}

/** Why a value cannot name the lock of a run; `undefined` if it can. */
export function lockProblem(lock: unknown): string | undefined {
  if (typeof lock !== "string" || lock === "") return "it must be a text that is not empty";
  if (lock.startsWith(ONCE_LOCK)) return `a lock that begins with "${ONCE_LOCK}" is that of a key: choose another name`;
  return ownNameProblem(lock);
}

/** The options of a call that runs once for a key, without those that its run must not have. */
const ONCE = ["keep", ...RUN.filter((option) => !["lock", "once"].includes(option))];

/**
 * Checks the key of a call, and the options that a run does not have. Those of the run are checked with it.
 *
 * @throws RunError `INVALID`
 */
export function checkOnceCall(
  name: string,
  key: unknown,
  options: OnceCallOptions,
): OnceCallOptions & { readonly keep: number } {
  const refuse = refusing(name);
  if (!isMap(options)) refuse(`the options of once must be a map with "keep", not ${valueText(options)}`);
  const problem = unknownOption("once", options, ONCE, ["claim"]) ?? onceKeyProblem(key);
  if (problem !== undefined) refuse(problem);
  return { ...options, keep: checkedDuration("keep of once", options.keep, refuse, 1) };
}

/** Why a value cannot be a key of runs; `undefined` if it can. */
function onceKeyProblem(key: unknown): string | undefined {
  if (typeof key === "string" && key !== "" && key.length <= LONGEST_ONCE) return undefined;
  return `key of once must be a text of 1 to ${LONGEST_ONCE} characters, not ${valueText(key)}`;
}

function checkOnce(once: unknown, refuse: (what: string) => never): InMs<OnceOptions> {
  if (!isMap(once)) refuse(`once must be a map, not ${valueText(once)}`);
  const given = once as { readonly [option: string]: unknown };
  const problem = unknownOption("once", given, "per" in given ? ["per"] : ["key", "keep"]);
  if (problem !== undefined) refuse(problem);
  if ("per" in given) return { per: checkedDuration("per of once", given["per"], refuse, 1) };
  const keep = checkedDuration("keep of once", given["keep"], refuse, 1);
  const { key } = given;
  const wrongKey = onceKeyProblem(key);
  return wrongKey === undefined ? { key: key as string, keep } : refuse(wrongKey);
}

/** A copy of the args or the meta: the program may change its map while the run is active. */
function copyOf(option: string, map: unknown, refuse: (what: string) => never): NonNullable<RunOptions["meta"]> {
  if (!isMap(map)) refuse(`${option} must be a map, not ${valueText(map)}`);
  let text = "";
  try {
    text = encodeValue(map);
  } catch (error) {
    refuse(`${option} must be JSON: ${(error as Error).message}`);
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > LARGEST_MAP) refuse(`${option} must be at most ${LARGEST_MAP} bytes as JSON, not ${bytes}`);
  return JSON.parse(text);
}

/** The problem with requested args, which are checked before the request is stored; `undefined` if none. */
export function argsProblem(args: unknown): string | undefined {
  return problemOf((refuse) => copyOf("args", args, refuse));
}

function isClaim(claim: unknown): boolean {
  const { tick, ops, refused } = (claim ?? {}) as Partial<StartClaim>;
  return typeof ops === "function" && typeof refused === "function" && (tick === undefined || isTick(tick));
}

/**
 * Checks the options of a prune.
 *
 * @throws RunError `INVALID`
 */
export function checkPruneOptions(options: PruneOptions): InMs<PruneOptions> {
  const refuse = refusing("");
  const given: Partial<PruneOptions> = isMap(options) ? options : {};
  const problem = unknownOption("a prune", given, ["olderThan", "name", "keep", "author", "signal"]);
  if (problem !== undefined) refuse(problem);
  const { name, keep = 0, author } = given;
  const olderThan = checkedDuration("olderThan", given.olderThan, refuse);
  if (name !== undefined && typeof name !== "string") refuse(`name of a prune must be a text, not ${valueText(name)}`);
  if (author !== undefined && typeof author !== "string") refuse(`author must be a text, not ${valueText(author)}`);
  if (!isCount(keep)) refuse(`keep must be a whole number from 0 up, not ${valueText(keep)}`);
  return { ...given, olderThan };
}

function isTick(tick: unknown): boolean {
  const { schedule, at } = (tick ?? {}) as Partial<Tick>;
  return typeof schedule === "string" && Number.isSafeInteger(at);
}
