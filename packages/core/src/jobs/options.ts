import { isSignal } from "../abort.js";
import { unknownOption } from "../channel/config.js";
import { ChannelError } from "../channel/errors.js";
import { RunError } from "./errors.js";
import type { JobManagerOptions, RunOptions, Tick } from "./types.js";

const HOUR = 3_600_000;
const WAIT = 2_500;
const LONGEST_TRIGGER = 1_000;

const CHANNEL = ["type", "args", "backend"];
const MANAGER = ["chJobs", "chLocks", "ttl", "heartbeatThread", "clock"];
const RUN = ["timeout", "wait", "trigger", "tick", "signal"];

/**
 * Refuses what nobody can have meant: with locks that are kept in memory because their option was misspelled, a job runs twice at once.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function checkManagerOptions(options: JobManagerOptions): void {
  checkNames("a job manager", options, MANAGER);
  const { chJobs, chLocks, heartbeatThread } = options;
  for (const [name, channel] of Object.entries({ chJobs, chLocks })) {
    if (channel !== undefined) checkNames(`"${name}" of a job manager`, channel, CHANNEL);
  }
  if (heartbeatThread !== undefined && typeof heartbeatThread !== "boolean") {
    throw new ChannelError("INVALID_CONFIG", `heartbeatThread is true or false, not ${show(heartbeatThread)}`);
  }
}

function checkNames(whose: string, options: unknown, known: readonly string[]): void {
  if (!isMap(options))
    throw new ChannelError("INVALID_CONFIG", `the options of ${whose} are a map, not ${show(options)}`);
  const problem = unknownOption(whose, options as object, known);
  if (problem !== undefined) throw new ChannelError("INVALID_CONFIG", problem);
}

/** Options of a run, checked. */
export interface CheckedOptions extends RunOptions {
  readonly timeout: number;
  readonly wait: number;
  readonly trigger: string;
}

/** Fills in the defaults, and refuses what makes no sense: a timeout that is a text, say, which was never meant to be one hour. */
export function checkRunOptions(name: string, options: RunOptions): CheckedOptions {
  if (typeof name !== "string" || name === "") {
    throw new RunError("INVALID", String(name), "the name of a job is a text that is not empty");
  }
  const refuse = (what: string): never => {
    throw new RunError("INVALID", name, what);
  };
  if (!isMap(options)) return refuse(`the options of a run of "${name}" are a map, not ${show(options)}`);
  const problem = unknownOption(`a run of "${name}"`, options, RUN);
  if (problem !== undefined) refuse(problem);
  const { timeout = HOUR, wait = WAIT, trigger = "manual", tick, signal } = options;
  if (typeof timeout !== "number" || !(timeout > 0) || !Number.isFinite(timeout)) {
    refuse(`timeout of "${name}" is a number of milliseconds above 0, not ${show(timeout)}`);
  }
  if (typeof wait !== "number" || !(wait >= 0) || !Number.isFinite(wait)) {
    refuse(`wait of "${name}" is a number of milliseconds from 0 up, not ${show(wait)}`);
  }
  // One that fills what the store takes of a record would leave no room for its end.
  if (typeof trigger !== "string" || trigger.length > LONGEST_TRIGGER) {
    refuse(`trigger of "${name}" is a text of at most ${LONGEST_TRIGGER} characters`);
  }
  if (signal !== undefined && !isSignal(signal)) refuse(`signal of "${name}" is no AbortSignal`);
  if (tick !== undefined && !isTick(tick)) {
    refuse(`tick of "${name}" has a schedule, a text, and an instant, in whole ms since 1970`);
  }
  return { ...options, timeout, wait, trigger };
}

function isTick(tick: unknown): boolean {
  const { schedule, at } = (tick ?? {}) as Partial<Tick>;
  return typeof schedule === "string" && Number.isSafeInteger(at);
}

/** Whether it is a map of options: plain programs pass anything. */
export function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return typeof value === "string" ? `the text "${value}"` : String(value);
}
