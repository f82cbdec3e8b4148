import type { RetryOptions } from "@ojm/core";
import {
  checkRetry,
  durationOf,
  durationProblem,
  isMap,
  lockProblem,
  nearest,
  ownNameProblem,
  permitsProblem,
  present,
  rateProblem,
  visible,
} from "@ojm/core/internal";
import { isScheduleError, ScheduleError } from "../calendar/schedule.js";
import { blackoutProblem } from "./blackout.js";
import { calendarIn, calendarOf } from "./calendar.js";
import { type Calendar, type CheckedDefinition, MOST_WAITING, type ScheduleDefinition } from "./types.js";

type Option = keyof ScheduleDefinition;

/** The names of our options in other schedulers. */
const OTHER_NAMES: Readonly<Record<string, Option>> = {
  tz: "timeZone",
  interval: "every",
  concurrency: "overlap",
  concurrencyPolicy: "overlap",
  maxInstances: "overlap",
  catchUp: "missed",
  catchup: "missed",
  misfire: "missed",
  misfirePolicy: "missed",
  startingDeadlineSeconds: "missed",
  splay: "jitter",
  retries: "retry",
  attempts: "retry",
  data: "meta",
};

/** The longest name of a schedule, in characters: it is a part of keys in the store. */
const LONGEST_NAME = 200;

/** The shortest interval, in ms. */
const SHORTEST = 1_000;

/**
 * The largest definition, in characters of JSON, and the largest `meta`, which the record of each run has.
 */
const LARGEST = 16_384;
const LARGEST_META = 4_096;

const DEFAULTS: Partial<Record<Option, unknown>> = { timeZone: "UTC", overlap: "skip", jitter: 0 };

/** The fields of an option that are durations. */
const DURATIONS: Partial<Record<Option, readonly string[]>> = {
  missed: ["within"],
  blackout: ["duration"],
  retry: ["delay", "maxDelay"],
  rate: ["per"],
};

/**
 * Checks a definition. Returns a copy that is plain JSON, with durations in ms, and without options that
 * equal the default.
 *
 * @throws ScheduleError `INVALID`, with the wrong option and its valid values
 */
export function checkDefinition(name: string, definition: ScheduleDefinition): CheckedDefinition {
  checkName(name);
  const fail = (setting: string | undefined, text: string): never => {
    throw new ScheduleError("INVALID", `the schedule "${visible(name)}" ${text}`, setting);
  };
  if (!isMap(definition)) return fail(undefined, `needs a map of its options, not ${show(definition)}`);
  const unknown = Object.keys(definition).find((option) => !Object.hasOwn(CHECKS, option));
  if (unknown !== undefined) fail(unknown, unknownOption(unknown, OPTIONS));
  for (const [option, value] of Object.entries(definition)) {
    const problem = value === undefined ? undefined : CHECKS[option as Option](value, name);
    if (problem !== undefined) fail(option, `cannot use "${option}": ${problem}`);
  }
  const { cron, every, timeZone }: ScheduleDefinition = definition;
  if ((cron === undefined) === (every === undefined)) fail("cron", 'needs either "cron" or "every"');
  if (cron === undefined && timeZone !== undefined) fail("timeZone", 'has a "timeZone" without "cron"');
  checkCalendar(name, cron, timeZone);
  const { blackout }: ScheduleDefinition = definition;
  // Make a single window a list: otherwise the two spellings of a definition would have two hashes.
  const listed = blackout === undefined ? definition : { ...definition, blackout: [blackout].flat() };
  const all = Object.entries(inMs(listed, ["every", "jitter", "timeout"]) as object);
  const changed = all.filter(([option, value]) => DEFAULTS[option as Option] !== value);
  let text = "";
  try {
    text = JSON.stringify(Object.fromEntries(changed));
  } catch (error) {
    fail(undefined, `is not JSON: ${(error as Error).message}`);
  }
  if (text.length > LARGEST) fail(undefined, `is too large: its definition has more than ${LARGEST} characters`);
  return JSON.parse(text) as CheckedDefinition;
}

/** A copy of a value with the durations in these fields, and in those of its options, in ms. */
function inMs(value: unknown, fields: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => inMs(one, fields));
  if (!isMap(value)) return value;
  const entries = Object.entries(value).map(([field, of]) => {
    const within = DURATIONS[field as Option];
    return [field, fields.includes(field) ? durationOf(of) : within === undefined ? of : inMs(of, within)];
  });
  return Object.fromEntries(entries);
}

/** Whether the definitions that were checked can be read. A check takes more than a millisecond. */
const readable = new WeakMap<CheckedDefinition, boolean>();

/**
 * Whether a definition of the store can be read. One with an unknown option or value cannot: a later version
 * of ojm may have written it, and without that option this one would compute other ticks.
 */
export function isReadable(definition: CheckedDefinition): boolean {
  const known = readable.get(definition);
  if (known !== undefined) return known;
  let is = true;
  try {
    checkDefinition("stored", definition);
  } catch {
    is = false;
  }
  readable.set(definition, is);
  return is;
}

/** The calendar of a definition of the store, even of one with unknown options, if it can be read itself. */
export function readableCalendar(definition: CheckedDefinition): Calendar | undefined {
  const calendar = calendarIn(definition);
  return isReadable(calendar) ? calendar : undefined;
}

/** @throws ScheduleError `INVALID` if the definition of a schedule in the store cannot be read */
export function assertReadable({
  name,
  definition,
}: {
  readonly name: string;
  readonly definition: CheckedDefinition;
}): void {
  if (isReadable(definition)) return;
  const text = `the schedule "${visible(name)}" has options that this version of ojm does not know: use the version that wrote them`;
  throw new ScheduleError("INVALID", text);
}

/**
 * Does not limit the length, because a job without a schedule may have a longer name than a schedule.
 *
 * @throws ScheduleError `INVALID` unless it is a valid name of a job
 */
export function checkJobName(name: unknown): asserts name is string {
  if (typeof name === "string" && name !== "") return;
  throw new ScheduleError("INVALID", `the name of a job must be a text that is not empty, not ${show(name)}`, "name");
}

/** @throws ScheduleError `INVALID` unless it is a valid name of a schedule */
function checkName(name: unknown): asserts name is string {
  if (typeof name === "string" && name !== "" && name.length <= LONGEST_NAME) {
    const problem = ownNameProblem(name);
    if (problem === undefined) return;
    throw new ScheduleError("INVALID", problem, "name");
  }
  const text = `the name of a schedule must be a text of 1 to ${LONGEST_NAME} characters, not ${show(name)}`;
  throw new ScheduleError("INVALID", text, "name");
}

function checkCalendar(name: string, cron: string | undefined, timeZone: string | undefined): void {
  if (cron === undefined) return;
  try {
    calendarOf(present({ cron, timeZone }));
  } catch (error) {
    if (!isScheduleError(error)) throw error;
    throw new ScheduleError("INVALID", `the schedule "${visible(name)}" is wrong: ${error.message}`, error.setting);
  }
}

/** The end of the message for an option that is not one of `known`, with the one that was probably meant. */
export function unknownOption(option: string, known: readonly string[]): string {
  if (option === "once") return `has no option "once", and needs none: each tick starts one run, over all machines`;
  const other = OTHER_NAMES[option];
  const meant = other !== undefined && known.includes(other) ? other : nearest(option, known);
  const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return `has no option "${visible(option)}".${hint} It has: ${known.join(", ")}.`;
}

const CHECKS: Readonly<Record<Option, (value: unknown, name: string) => string | undefined>> = {
  cron: (value) => (typeof value === "string" ? undefined : `it is a text such as "0 2 * * *", not ${show(value)}`),
  timeZone: (value) =>
    typeof value === "string" && value !== "local"
      ? undefined
      : `it is a name of the IANA list, as "Europe/Lisbon", not ${show(value)}: all processes must have the same`,
  every: (value) => durationIn("it", value, SHORTEST),
  overlap: (value) => oneOf(value, ["skip", "queue", "replace"]),
  missed: missedProblem,
  jitter: (value) => durationIn("it", value),
  timeout: (value) => durationIn("it", value, 1),
  lock: lockProblem,
  permits: permitsProblem,
  rate: rateProblem,
  blackout: (value) => {
    const windows = isMap(value) ? [value] : value;
    if (!Array.isArray(windows)) return `it is a window such as { from, to }, or a list of them, not ${show(value)}`;
    return windows.map((one) => blackoutProblem(one)).find((problem) => problem !== undefined);
  },
  pauseAfter: (value) =>
    Number.isSafeInteger(value) && Number(value) >= 1
      ? undefined
      : `it is a whole number from 1 up, not ${show(value)}`,
  retry: retryProblem,
  meta: metaProblem,
};

/** The options of a schedule. */
export const OPTIONS: readonly string[] = Object.keys(CHECKS);

/** The manager checks it too, but only when a tick is due. */
function retryProblem(value: unknown, name: string): string | undefined {
  try {
    checkRetry(visible(name), value as RetryOptions);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function metaProblem(value: unknown): string | undefined {
  if (!isMap(value)) return `it is a map of JSON, not ${show(value)}`;
  try {
    const { length } = Buffer.from(JSON.stringify(value));
    return length > LARGEST_META ? `it has at most ${LARGEST_META} bytes as JSON, not ${length}` : undefined;
  } catch (error) {
    return `it is not JSON: ${(error as Error).message}`;
  }
}

function missedProblem(value: unknown): string | undefined {
  const runs = ["none", "latest", "all"];
  if (!isMap(value)) return oneOf(value, runs);
  const { run, within, max, downtime, ...rest } = value as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return `it has no "${visible(unknown)}". It has: run, within, max, downtime`;
  const problem = within === undefined ? undefined : durationIn('"within"', within);
  if (problem !== undefined) return problem;
  if (max !== undefined && !(Number.isInteger(max) && Number(max) >= 1 && Number(max) <= MOST_WAITING)) {
    return `"max" is a whole number from 1 to ${MOST_WAITING}, not ${show(max)}`;
  }
  if (downtime !== undefined && typeof downtime !== "boolean") return `"downtime" is true or false`;
  return run === undefined ? `it has no "run", which is one of ${runs.join(", ")}` : oneOf(run, runs);
}

/** Ticks are at whole ms. */
function durationIn(what: string, value: unknown, least?: number): string | undefined {
  if (Number.isSafeInteger(durationOf(value, least))) return undefined;
  return durationProblem(what, value, least).replace("in ms", "in whole ms");
}

function oneOf(value: unknown, known: readonly string[]): string | undefined {
  if (typeof value === "string" && known.includes(value)) return undefined;
  const near = typeof value === "string" ? nearest(value, known) : undefined;
  return `it is one of ${known.join(", ")}, not ${show(value)}${near === undefined ? "" : `. Did you mean "${near}"?`}`;
}

/** The longest value that an error shows, in characters. */
const LONGEST_SHOWN = 100;

/** A value as in a definition, for an error: a text in quotes, a map or a list as JSON. */
export function show(value: unknown): string {
  if (typeof value === "string") return `"${visible(value)}"`;
  if (typeof value !== "object" || value === null || value instanceof Date) return visible(String(value));
  let text = Array.isArray(value) ? "a list" : "a map";
  try {
    text = JSON.stringify(value) ?? text;
  } catch {
    // It cannot be written as JSON.
  }
  return visible(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)} …` : text);
}
