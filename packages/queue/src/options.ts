import {
  durationOf,
  durationProblem,
  isMap,
  ownNameProblem,
  permitsProblem,
  present,
  rateProblem,
  unknownOption,
  valueText,
} from "@ojm/core/internal";
import { QueueError } from "./errors.js";
import type { AddOptions, BatchOptions, QueueOptions, StandardSchema, UniqueOptions } from "./types.js";

/** The options of a queue as the store has them, with durations in ms. */
export interface CheckedQueue {
  readonly attempts: number;
  readonly delay: number;
  readonly backoff: "fixed" | "exponential";
  readonly maxDelay: number;
  readonly timeout: number;
  readonly perGroup?: number;
  readonly permits?: { readonly [permit: string]: number };
  readonly rate?: { readonly name: string; readonly max: number; readonly per: number };
  /** Default: `all`. */
  readonly record?: "failed" | "none";
  /** How long dead letters are stored, in ms. */
  readonly keep: number;
}

/** The options that stay with an item, with durations in ms. */
export interface ItemOptions extends Pick<AddOptions, "group" | "attempts" | "meta"> {
  readonly unique?: { readonly key: string; readonly until: "taken" | "done" | number };
  /** In ms since 1970. */
  readonly expires?: number;
}

/** The options of an item that was checked. */
export interface CheckedAdd extends ItemOptions {
  readonly rank: number;
  readonly at?: number;
  readonly replace: boolean;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The options of a queue that no process has defined. */
export const DEFAULTS: CheckedQueue = {
  attempts: 5,
  delay: 1_000,
  backoff: "exponential",
  maxDelay: HOUR,
  timeout: HOUR,
  keep: 14 * DAY,
};

const LONGEST_DELAY = 7 * DAY;
const MOST_ATTEMPTS = 100;
/** The names of queues and groups are parts of the names of permits, which have 200 characters at most. */
const LONGEST_NAME = 90;
const LONGEST_UNIQUE = 200;
const LARGEST_META = 3_072;
/** The most items of a worker, or of a group, at once. */
export const MOST_AT_ONCE = 1_000;
/** The permit of a group is one more, and a run has 8 at most. */
const MOST_PERMITS = 7;
const HIGHEST = 100;

const QUEUE = [
  ...["attempts", "delay", "backoff", "maxDelay", "timeout", "perGroup", "permits", "rate"],
  ...["record", "dead", "schema"],
];
const ADD = ["priority", "delay", "at", "ttl", "group", "unique", "attempts", "meta"];

/** Whether an item of a batch is added must not depend on other items. */
const BATCH = [...ADD.filter((name) => name !== "unique" && name !== "group"), "callback"];

/** Throws the error of an invalid argument. */
export function refuse(queue: string, message: string): never {
  throw new QueueError("INVALID", queue, message);
}

/** The bytes of a value as JSON; infinite if it has no JSON, as a `bigint`. */
export function bytesOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** @throws QueueError `INVALID` */
export function checkName(queue: unknown): string {
  if (typeof queue !== "string" || queue === "" || queue.length > LONGEST_NAME)
    return refuse(String(queue), `the name of a queue must be a text of 1 to ${LONGEST_NAME} characters`);
  const problem = ownNameProblem(queue);
  return problem === undefined ? queue : refuse(queue, problem);
}

/** Throws the error of an invalid option. */
function wrong(queue: string, message: string): never {
  refuse(queue, `queue "${queue}": ${message}`);
}

/**
 * Refuses an option that is misspelt: without it, `purge` could remove other items than meant.
 *
 * @throws QueueError `INVALID`
 */
export function checkNames<T>(queue: string, what: string, options: T, known: readonly string[]): T {
  checkName(queue);
  const problem = isMap(options)
    ? unknownOption(what, options, known)
    : `the options of ${what} must be a map, not ${valueText(options)}`;
  return problem === undefined ? options : wrong(queue, problem);
}

/** @throws QueueError `INVALID` */
export function checkWhole(queue: string, what: string, value: unknown, most: number, least = 1): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  return wrong(queue, `${what} must be a whole number from ${least} to ${most}, not ${valueText(value)}`);
}

/** @throws QueueError `INVALID` */
export function checkDuration(queue: string, what: string, value: unknown, least = 0, most?: number): number {
  return durationOf(value, least, most) ?? wrong(queue, durationProblem(what, value, least, most));
}

function checkText(queue: string, what: string, value: unknown, longest: number): string {
  if (typeof value === "string" && value !== "" && value.length <= longest) return value;
  return wrong(queue, `${what} must be a text of 1 to ${longest} characters`);
}

/**
 * Checks options of `queues.define` without a store, and converts their durations to ms.
 *
 * @throws QueueError `INVALID`
 */
export function checkQueueOptions(queue: string, given: QueueOptions): CheckedQueue {
  checkNames(queue, "a queue", given, QUEUE);
  const { backoff = DEFAULTS.backoff, perGroup, permits, rate, record = "all", dead = {}, schema } = given;
  checkNames(queue, "dead", dead, ["keep"]);
  if (backoff !== "fixed" && backoff !== "exponential")
    wrong(queue, `backoff must be "fixed" or "exponential", not ${valueText(backoff)}`);
  if (record !== "all" && record !== "failed" && record !== "none")
    wrong(queue, `record must be "all", "failed" or "none", not ${valueText(record)}`);
  const problem = (permits && permitsProblem(permits)) ?? (rate && rateProblem(rate));
  if (problem !== undefined) wrong(queue, problem);
  if (permits !== undefined && Object.keys(permits).length > MOST_PERMITS)
    wrong(queue, `permits must have at most ${MOST_PERMITS} names`);
  if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function")
    wrong(queue, `schema must be a Standard Schema, such as one of Zod, Valibot or ArkType`);
  return {
    attempts: checkWhole(queue, "attempts", given.attempts ?? DEFAULTS.attempts, MOST_ATTEMPTS),
    delay: checkDuration(queue, "delay", given.delay ?? DEFAULTS.delay, 0, LONGEST_DELAY),
    backoff,
    maxDelay: checkDuration(queue, "maxDelay", given.maxDelay ?? DEFAULTS.maxDelay, 0, LONGEST_DELAY),
    timeout: checkDuration(queue, "timeout", given.timeout ?? DEFAULTS.timeout, 1),
    ...(perGroup !== undefined && { perGroup: checkWhole(queue, "perGroup", perGroup, MOST_AT_ONCE) }),
    ...(permits !== undefined && { permits: { ...permits } }),
    ...(rate !== undefined && { rate: { ...rate, per: checkDuration(queue, "rate.per", rate.per) } }),
    ...(record !== "all" && { record }),
    keep: checkDuration(queue, "dead.keep", dead.keep ?? DEFAULTS.keep, 1),
  };
}

/** @throws QueueError `INVALID` */
export function checkAdd(queue: string, given: AddOptions, now: number): CheckedAdd {
  checkNames(queue, "an item", given, ADD);
  const { delay, at, ttl, group, unique, attempts, meta } = given;
  if (delay !== undefined && at !== undefined) wrong(queue, "give delay or at, not both");
  if (at !== undefined && !Number.isFinite(at)) wrong(queue, `at must be ms since 1970, not ${valueText(at)}`);
  if (meta !== undefined && !isMap(meta)) wrong(queue, "meta must be a map");
  if (meta !== undefined && bytesOf(meta) > LARGEST_META)
    wrong(queue, `meta must be JSON, and at most ${LARGEST_META} bytes of it`);
  const due = delay === undefined ? at : now + checkDuration(queue, "delay", delay);
  const expires = ttl === undefined ? undefined : now + checkDuration(queue, "ttl", ttl, 1);
  if (due !== undefined && expires !== undefined && expires <= due)
    wrong(queue, "the item would never be handled: its ttl is over before its delay or at. Give a longer ttl");
  // Not "-0": the text of a key would be that of 0.
  const rank = 0 - checkWhole(queue, "priority", given.priority ?? 0, HIGHEST, -HIGHEST);
  return {
    rank,
    replace: unique?.replace === true,
    ...present({
      at: due !== undefined && due > now ? Math.ceil(due) : undefined,
      expires,
      group: group === undefined ? undefined : checkText(queue, "group", group, LONGEST_NAME),
      unique: unique === undefined ? undefined : checkUnique(queue, unique),
      attempts: attempts === undefined ? undefined : checkWhole(queue, "attempts", attempts, MOST_ATTEMPTS),
      meta,
    }),
  };
}

/** @throws QueueError `INVALID` */
export function checkBatch(queue: string, id: string, data: unknown, given: BatchOptions, now: number): CheckedAdd {
  const { callback, ...options } = checkNames(queue, "a batch", given ?? {}, BATCH);
  if (!isMap(callback)) wrong(queue, `a batch needs callback: { queue, data }, not ${valueText(callback)}`);
  checkNames(queue, "callback", callback, ["queue", "data"]);
  checkName(callback.queue);
  checkText(queue, "the id of a batch", id, LONGEST_UNIQUE);
  if (!Array.isArray(data)) wrong(queue, `the data of a batch must be an array, not ${valueText(data)}`);
  return checkAdd(queue, options, now);
}

function checkUnique(queue: string, given: UniqueOptions): NonNullable<ItemOptions["unique"]> {
  checkNames(queue, "unique", given, ["key", "until", "replace"]);
  const { until = "done" } = given;
  const key = checkText(queue, "unique.key", given.key, LONGEST_UNIQUE);
  return { key, until: until === "taken" || until === "done" ? until : checkDuration(queue, "unique.until", until, 1) };
}

/** @throws QueueError `INVALID` */
export function checkState(queue: string, what: string, state: string, known: readonly string[]): void {
  if (known.includes(state)) return;
  const why = state === "done" ? ". An item that is done is no longer in the queue: its runs are in the history" : "";
  wrong(queue, `the state of ${what} must be one of ${known.join(", ")}, not ${valueText(state)}${why}`);
}

/**
 * The data of an item as its schema returns it.
 *
 * @throws QueueError `INVALID` with the issues that the schema found
 */
export async function validated(queue: string, schema: StandardSchema | undefined, data: unknown): Promise<unknown> {
  if (schema === undefined) return data;
  const result = await schema["~standard"].validate(data);
  if (result.issues === undefined) return result.value;
  const found = result.issues.map(({ message }) => message).join("; ");
  return refuse(queue, `the data of an item of the queue "${queue}" does not match its schema: ${found}`);
}
