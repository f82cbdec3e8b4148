import type { Duration } from "@ojm/core";
import {
  durationOf,
  durationProblem,
  isMap,
  ownNameProblem,
  permitsProblem,
  rateProblem,
  unknownOption,
  valueText,
} from "@ojm/core/internal";
import { QueueError } from "./errors.js";
import type { AddOptions, BatchOptions, QueueOptions, StandardSchema } from "./types.js";

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

/** The options of an item that was checked. */
export interface CheckedAdd {
  readonly rank: number;
  readonly at: number | undefined;
  readonly expires: number | undefined;
  readonly group: string | undefined;
  readonly unique: { readonly key: string; readonly until: "taken" | "done" | number } | undefined;
  readonly replace: boolean;
  readonly attempts: number | undefined;
  readonly meta: AddOptions["meta"];
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
const MOST_AT_ONCE = 1_000;
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

/** Checks one value after the other, for one queue. */
class Checks {
  readonly #queue: string;

  constructor(queue: string) {
    this.#queue = queue;
  }

  names<T>(what: string, options: T, known: readonly string[]): T {
    const problem = isMap(options)
      ? unknownOption(what, options, known)
      : `the options of ${what} must be a map, not ${valueText(options)}`;
    return problem === undefined ? options : this.refuse(problem);
  }

  whole(what: string, value: unknown, least: number, most: number): number {
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
    return this.refuse(`${what} must be a whole number from ${least} to ${most}, not ${valueText(value)}`);
  }

  duration(what: string, value: unknown, least = 0, most?: number): number {
    return durationOf(value, least, most) ?? this.refuse(durationProblem(what, value, least, most));
  }

  text(what: string, value: unknown, longest: number): string {
    if (typeof value === "string" && value !== "" && value.length <= longest) return value;
    return this.refuse(`${what} must be a text of 1 to ${longest} characters`);
  }

  refuse(message: string): never {
    return refuse(this.#queue, `queue "${this.#queue}": ${message}`);
  }
}

/**
 * Checks options of `queues.define` without a store, and converts their durations to ms.
 *
 * @throws QueueError `INVALID`
 */
export function checkQueueOptions(queue: string, given: QueueOptions): CheckedQueue {
  const check = new Checks(checkName(queue));
  check.names("a queue", given, QUEUE);
  const { backoff = DEFAULTS.backoff, perGroup, permits, rate, record = "all", dead = {}, schema } = given;
  check.names("dead", dead, ["keep"]);
  if (backoff !== "fixed" && backoff !== "exponential")
    check.refuse(`backoff must be "fixed" or "exponential", not ${valueText(backoff)}`);
  if (record !== "all" && record !== "failed" && record !== "none")
    check.refuse(`record must be "all", "failed" or "none", not ${valueText(record)}`);
  const wrong = (permits && permitsProblem(permits)) ?? (rate && rateProblem(rate));
  if (wrong !== undefined) check.refuse(wrong);
  if (permits !== undefined && Object.keys(permits).length > MOST_PERMITS)
    check.refuse(`permits must have at most ${MOST_PERMITS} names`);
  if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function")
    check.refuse(`schema must be a Standard Schema, such as one of Zod, Valibot or ArkType`);
  return {
    attempts: check.whole("attempts", given.attempts ?? DEFAULTS.attempts, 1, MOST_ATTEMPTS),
    delay: check.duration("delay", given.delay ?? DEFAULTS.delay, 0, LONGEST_DELAY),
    backoff,
    maxDelay: check.duration("maxDelay", given.maxDelay ?? DEFAULTS.maxDelay, 0, LONGEST_DELAY),
    timeout: check.duration("timeout", given.timeout ?? DEFAULTS.timeout, 1),
    ...(perGroup !== undefined && { perGroup: check.whole("perGroup", perGroup, 1, MOST_AT_ONCE) }),
    ...(permits !== undefined && { permits: { ...permits } }),
    ...(rate !== undefined && { rate: { ...rate, per: check.duration("rate.per", rate.per) } }),
    ...(record !== "all" && { record }),
    keep: check.duration("dead.keep", dead.keep ?? DEFAULTS.keep, 1),
  };
}

/** @throws QueueError `INVALID` */
export function checkAdd(queue: string, given: AddOptions, now: number): CheckedAdd {
  const check = new Checks(checkName(queue));
  check.names("an item", given, ADD);
  const { delay, at, ttl, group, unique, attempts, meta } = given;
  if (delay !== undefined && at !== undefined) check.refuse("give delay or at, not both");
  if (at !== undefined && !Number.isFinite(at)) check.refuse(`at must be ms since 1970, not ${valueText(at)}`);
  if (meta !== undefined && !isMap(meta)) check.refuse("meta must be a map");
  if (meta !== undefined && bytesOf(meta) > LARGEST_META)
    check.refuse(`meta must be JSON, and at most ${LARGEST_META} bytes of it`);
  const due = delay === undefined ? at : now + check.duration("delay", delay);
  // Not "-0": the text of a key would be that of 0.
  const rank = 0 - check.whole("priority", given.priority ?? 0, -HIGHEST, HIGHEST);
  return {
    rank,
    at: due !== undefined && due > now ? Math.ceil(due) : undefined,
    expires: ttl === undefined ? undefined : now + check.duration("ttl", ttl, 1),
    group: group === undefined ? undefined : check.text("group", group, LONGEST_NAME),
    unique: unique === undefined ? undefined : checkUnique(check, unique),
    replace: unique?.replace === true,
    attempts: attempts === undefined ? undefined : check.whole("attempts", attempts, 1, MOST_ATTEMPTS),
    meta,
  };
}

/** @throws QueueError `INVALID` */
export function checkBatch(queue: string, id: string, data: unknown, given: BatchOptions, now: number): CheckedAdd {
  const check = new Checks(checkName(queue));
  const { callback, ...options } = check.names("a batch", given ?? {}, BATCH);
  if (!isMap(callback)) check.refuse(`a batch needs callback: { queue, data }, not ${valueText(callback)}`);
  check.names("callback", callback, ["queue", "data"]);
  checkName(callback.queue);
  check.text("the id of a batch", id, LONGEST_UNIQUE);
  if (!Array.isArray(data)) check.refuse(`the data of a batch must be an array, not ${valueText(data)}`);
  return checkAdd(queue, options, now);
}

function checkUnique(check: Checks, given: NonNullable<AddOptions["unique"]>): NonNullable<CheckedAdd["unique"]> {
  check.names("unique", given, ["key", "until", "replace"]);
  const { until = "done" } = given;
  const key = check.text("unique.key", given.key, LONGEST_UNIQUE);
  return { key, until: until === "taken" || until === "done" ? until : check.duration("unique.until", until, 1) };
}

/** @throws QueueError `INVALID` */
export function checkWhole(queue: string, what: string, value: unknown, most: number = MOST_AT_ONCE): number {
  return new Checks(checkName(queue)).whole(what, value, 1, most);
}

/** @throws QueueError `INVALID` */
export function checkState(queue: string, what: string, state: string, known: readonly string[]): void {
  if (known.includes(state)) return;
  const why = state === "done" ? ". An item that is done is no longer in the queue: its runs are in the history" : "";
  new Checks(checkName(queue)).refuse(
    `the state of ${what} must be one of ${known.join(", ")}, not ${valueText(state)}${why}`,
  );
}

/**
 * Refuses an option that is misspelt: without it, `purge` could remove other items than meant.
 *
 * @throws QueueError `INVALID`
 */
export function checkNames(queue: string, what: string, options: unknown, known: readonly string[]): void {
  new Checks(checkName(queue)).names(what, options, known);
}

/** @throws QueueError `INVALID` */
export function checkDuration(queue: string, what: string, value: Duration, least = 0): number {
  return new Checks(queue).duration(what, value, least);
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
