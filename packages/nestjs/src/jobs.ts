import { Logger } from "@nestjs/common";
import { type DiscoveryService, MetadataScanner, Reflector } from "@nestjs/core";
import { isRunError, type Run } from "@ojm/core";
import { checkRetry, checkRunOptions, isMap } from "@ojm/core/internal";
import { checkDefinition, isScheduleError, type ScheduleDefinition, ScheduleError } from "@ojm/schedule";
import { SCHEDULE_OPTIONS, unknownScheduleOption } from "@ojm/schedule/internal";
import { type JobKind, PLAN, type Plan, type TimeoutOptions } from "./decorators.js";

/** When a job runs. */
interface Timing {
  /** Of a cron job or an interval. */
  readonly definition?: ScheduleDefinition;
  /** Of a timeout. */
  readonly options?: TimeoutOptions;
  /** How long after its start this process begins to take part, in ms. */
  readonly delay: number;
  readonly disabled?: boolean;
}

/** A method with a decorator of ours. */
export interface Decorated {
  readonly plan: Plan;
  /** `Class.method`. */
  readonly label: string;
  /** The method and its module, for messages. */
  readonly method: string;
  readonly call: (run: Run) => unknown;
}

/** A job of this application. */
export interface Job extends Timing {
  readonly kind: JobKind;
  readonly name: string;
  /** Where it is defined, for messages. */
  readonly method: string;
  readonly body: (run: Run) => unknown;
}

const logger: Logger = new Logger("Ojm");

/** The decorated methods of all controllers and providers. */
export function* decoratedMethods(discovery: DiscoveryService): Generator<Decorated> {
  const scanner = new MetadataScanner();
  const reflector = new Reflector();
  const seen = new Set<unknown>();
  for (const wrapper of [...discovery.getControllers(), ...discovery.getProviders()]) {
    const { instance } = wrapper;
    const prototype = instance ? Object.getPrototypeOf(instance) : null;
    // A provider with two tokens is one object.
    if (prototype === null || seen.has(instance)) continue;
    seen.add(instance);
    for (const key of scanner.getAllMethodNames(prototype)) {
      const method = instance[key];
      const plan = typeof method === "function" ? reflector.get<Plan | undefined>(PLAN, method) : undefined;
      if (plan === undefined) continue;
      const label = `${instance.constructor.name}.${key}`;
      if (wrapper.isDependencyTreeStatic())
        yield { plan, label, method: `${label} of ${wrapper.host?.name}`, call: (run) => method.call(instance, run) };
      else logger.warn(`${label} is not run: its class is created for each request. Move it to a provider of its own`);
    }
  }
}

/** @throws ScheduleError `INVALID` for a wrong option, with the method */
export function jobOf({ plan, label, method, call }: Decorated, zone: string): Job {
  const name = plan.name ?? label;
  try {
    return { ...checkedTiming(plan, name, zone), kind: plan.kind, name, method, body: logged(call) };
  } catch (error) {
    if (!isScheduleError(error) && !isRunError(error)) throw error;
    const { message } = error;
    throw new ScheduleError("INVALID", message.includes(`"${label}"`) ? message : `${label}: ${message}`);
  }
}

/** Nest's logger has the errors of jobs; the record of the run has them too. */
function logged(method: Job["body"]): Job["body"] {
  return async (run) => {
    try {
      return await method(run);
    } catch (error) {
      if (!run.signal.aborted) logger.error(`${run.id}: ${String(error)}`, error instanceof Error ? error.stack : "");
      throw error;
    }
  };
}

/** Node's timers take no longer delay, in ms: they would fire at once. */
const LONGEST_DELAY = 2_147_483_647;

/** The options of a schedule that a decorator has too. Its time is an argument. */
const SCHEDULE = SCHEDULE_OPTIONS.filter((option) => !["cron", "every", "timeZone"].includes(option));

const DECORATORS: Readonly<Record<JobKind, readonly [name: string, options: readonly string[]]>> = {
  cron: ["@Cron", ["name", "timeZone", "utcOffset", "disabled", "initialDelay", ...SCHEDULE]],
  interval: ["@Interval", SCHEDULE],
  timeout: ["@Timeout", ["wait", "timeout", "retry", "meta", "once"]],
};

/** @throws ScheduleError or RunError for a wrong option */
function checkedTiming({ kind, time, options }: Plan, name: string, zone: string): Timing {
  const [decorator, known] = DECORATORS[kind];
  if (!isMap(options as unknown)) reject(`the options of ${decorator} are a map, not ${String(options)}`);
  const { waitForCompletion, unrefTimeout, threshold, ...others } = options;
  if (waitForCompletion === false) reject('waitForCompletion cannot be false: write overlap: "queue"');
  if (unrefTimeout === true) reject("unrefTimeout is not possible: call app.close() to end the process");
  if (threshold !== undefined) reject('threshold is not possible: write missed: { run: "latest", within: ms }');
  const unknown = Object.keys(others).find((option) => !known.includes(option));
  if (unknown !== undefined) reject(`${decorator} ${unknownScheduleOption(unknown, known)}`);
  if (kind === "timeout") {
    checkRunOptions(name, others);
    if (others.retry !== undefined) checkRetry(name, others.retry);
    return { delay: checkedDelay("the delay", time), options: others };
  }
  const { name: _, timeZone, utcOffset, disabled = false, initialDelay = 0, ...policies } = others;
  let definition: ScheduleDefinition = { ...policies, every: time as number };
  if (kind === "cron") {
    if (typeof time !== "string")
      return reject("cronTime must be a text. For a run at one date, use a cron expression and Ojm.scheduler.remove()");
    if (timeZone !== undefined && utcOffset !== undefined) reject("utcOffset is not possible with a timeZone");
    definition = { ...policies, cron: PRESETS[time] ?? time, timeZone: timeZone ?? zoneOf(utcOffset) ?? zone };
  } else if (Number(time) < 1_000) {
    reject("an interval takes at least 1000 ms: for less, use setInterval in each process");
  }
  checkDefinition(name, definition);
  return { delay: checkedDelay("initialDelay", initialDelay), definition, disabled };
}

function reject(text: string): never {
  throw new ScheduleError("INVALID", text);
}

function checkedDelay(option: string, ms: unknown): number {
  if (Number.isSafeInteger(ms) && Number(ms) >= 0 && Number(ms) <= LONGEST_DELAY) return Number(ms);
  return reject(`${option} is a whole number of ms, at most ${LONGEST_DELAY}, not ${String(ms)}`);
}

/** The zone of an offset in minutes. The sign in its name is the opposite one: POSIX counts to the west. */
function zoneOf(offset: number | undefined): string | undefined {
  if (offset === undefined) return undefined;
  if (!(offset % 60 === 0 && offset >= -720 && offset <= 840))
    reject('utcOffset is in whole hours, in minutes: write a timeZone such as "Asia/Kolkata"');
  return offset === 0 ? "UTC" : `Etc/GMT${offset > 0 ? "-" : "+"}${Math.abs(offset / 60)}`;
}

/** The nicknames of `@nestjs/schedule` that are not usual in cron. */
const PRESETS: Readonly<Record<string, string>> = {
  "@minutely": "* * * * *",
  "@secondly": "* * * * * *",
  "@weekdays": "0 0 * * 1-5",
  "@weekends": "0 0 * * 0,6",
};

/** The time zone of this process. */
export function ownZone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return ["Etc/UTC", "Etc/UCT", "UCT", "Etc/Universal", "GMT", "Etc/GMT"].includes(zone) ? "UTC" : zone;
}
