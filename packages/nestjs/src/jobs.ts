import { Logger } from "@nestjs/common";
import { type DiscoveryService, MetadataScanner, Reflector } from "@nestjs/core";
import { isRunError, type RetryOptions, type Run } from "@ojm/core";
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
  readonly body: (run: Run) => Promise<unknown>;
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

/** What is wrong with jobs: each problem once, with the option. */
export class Problems {
  readonly #found: Map<string, string | undefined> = new Map();

  add(setting: string | undefined, message: string): void {
    if (!this.#found.has(message)) this.#found.set(message, setting);
  }

  /** The error with all problems, which names the first option; `undefined` if there is no problem. */
  error(): ScheduleError | undefined {
    const [first] = this.#found.values();
    const count = this.#found.size;
    if (count === 0) return undefined;
    const lines = [...(count > 1 ? [`${count} options of jobs are wrong:`] : []), ...this.#found.keys()];
    return new ScheduleError("INVALID", lines.join("\n"), first);
  }
}

/** Makes one check of a method. Adds its problem, and returns `undefined`, if it fails. */
type Check = <T>(setting: string | undefined, check: () => T) => T | undefined;

/** Adds each wrong option to the problems, with the method: then the job must not be run. */
export function jobOf({ plan, label, method, call }: Decorated, zone: string, problems: Problems): Job {
  const name = plan.name ?? label;
  let isWrong = false;
  const check: Check = (setting, attempt) => {
    try {
      return attempt();
    } catch (error) {
      if (!isScheduleError(error) && !isRunError(error)) throw error;
      isWrong = true;
      const { message } = error;
      const own = isScheduleError(error) ? error.setting : undefined;
      problems.add(own ?? setting, message.includes(`"${label}"`) ? message : `${label}: ${message}`);
      return undefined;
    }
  };
  const timing = checkedTiming(plan, name, zone, check);
  const { definition } = timing;
  // Options that are right by themselves may be too large together.
  if (definition !== undefined && !isWrong) check(undefined, () => checkDefinition(name, definition));
  return { ...timing, kind: plan.kind, name, method, body: logged(call) };
}

/** Nest's logger has the errors of jobs; the record of the run has them too. */
function logged(method: Decorated["call"]): Job["body"] {
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

/** Checks each option by itself, so that all wrong ones are found. */
function checkedTiming({ kind, time, options }: Plan, name: string, zone: string, check: Check): Timing {
  const [decorator, known] = DECORATORS[kind];
  const refuse = (setting: string | undefined, text: string): void => check(setting, () => reject(text));
  if (!isMap(options as unknown)) {
    refuse(undefined, `the options of ${decorator} are a map, not ${String(options)}`);
    return { delay: 0 };
  }
  const { waitForCompletion, unrefTimeout, threshold, ...others } = options;
  if (waitForCompletion === false)
    refuse("waitForCompletion", 'waitForCompletion cannot be false: write overlap: "queue"');
  if (unrefTimeout === true)
    refuse("unrefTimeout", "unrefTimeout is not possible: call app.close() to end the process");
  if (threshold !== undefined)
    refuse("threshold", 'threshold is not possible: write missed: { run: "latest", within: ms }');
  for (const option of Object.keys(others))
    if (!known.includes(option)) refuse(option, `${decorator} ${unknownScheduleOption(option, known)}`);
  const given = Object.entries(others).filter(([option]) => known.includes(option));
  if (kind === "timeout") {
    const delay = check("delay", () => checkedDelay("the delay", time)) ?? 0;
    check("name", () => checkRunOptions(name, {}));
    for (const [option, value] of given) {
      check(option, () => checkRunOptions(name, { [option]: value }));
      if (option === "retry" && value !== undefined) check(option, () => checkRetry(name, value as RetryOptions));
    }
    return { delay, options: others };
  }
  const { name: _, timeZone, utcOffset, disabled = false, initialDelay = 0, ...policies } = others;
  const delay = check("initialDelay", () => checkedDelay("initialDelay", initialDelay)) ?? 0;
  let definition: ScheduleDefinition = { ...policies, every: time as number };
  if (kind === "cron") {
    const cron = PRESETS[String(time)] ?? String(time);
    if (typeof time !== "string")
      refuse(
        "cron",
        "cronTime must be a text. For a run at one date, use a cron expression and Ojm.scheduler.remove()",
      );
    else check("cron", () => checkDefinition(name, { cron }));
    if (timeZone !== undefined && utcOffset !== undefined)
      refuse("utcOffset", "utcOffset is not possible with a timeZone");
    const own = timeZone ?? check("utcOffset", () => zoneOf(utcOffset)) ?? zone;
    check("timeZone", () => checkDefinition(name, { cron: "@daily", timeZone: own }));
    definition = { ...policies, cron, timeZone: own };
  } else if (time === undefined || Number(time) < 1_000) {
    refuse("every", "an interval takes at least 1000 ms: for less, use setInterval in each process");
  } else {
    check("every", () => checkDefinition(name, { every: time as number }));
  }
  for (const [option, value] of given)
    if (SCHEDULE.includes(option)) check(option, () => checkDefinition(name, { every: 1_000, [option]: value }));
  return { delay, definition, disabled };
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
