import { Logger } from "@nestjs/common";
import { type DiscoveryService, MetadataScanner, Reflector } from "@nestjs/core";
import { isRunError, type Run } from "@ojm/core";
import { checkRetry, checkRunOptions, isMap } from "@ojm/core/internal";
import { checkDefinition, isScheduleError, type ScheduleDefinition, ScheduleError } from "@ojm/schedule";
import { SCHEDULE_OPTIONS, unknownScheduleOption } from "@ojm/schedule/internal";
import { type JobKind, PLAN, type Plan, type TimeoutOptions } from "./decorators.js";

/** A job of this application. */
export interface Job {
  readonly kind: JobKind;
  readonly name: string;
  /** The method, for messages. */
  readonly method: string;
  readonly body: (run: Run) => unknown;
  /** Of a cron job or an interval. */
  readonly definition?: ScheduleDefinition;
  /** Of a timeout. */
  readonly options?: TimeoutOptions;
  /** How long after its start this process begins to take part, in ms. */
  readonly delay: number;
  readonly disabled?: boolean;
}

const logger: Logger = new Logger("Ojm");

/**
 * The jobs of the decorated methods of all controllers and providers.
 *
 * @param zone the time zone of cron jobs without one
 * @throws ScheduleError `INVALID`, with all wrong options and all names that two methods have
 */
export function findJobs(discovery: DiscoveryService, zone: string): Map<string, Job> {
  const jobs = new Map<string, Job>();
  const scanner = new MetadataScanner();
  const reflector = new Reflector();
  const seen = new Set<unknown>();
  const problems: string[] = [];
  for (const wrapper of [...discovery.getControllers(), ...discovery.getProviders()]) {
    const instance = wrapper.instance as Record<string, unknown> | undefined;
    const prototype: object | null = instance ? Object.getPrototypeOf(instance) : null;
    // A provider with two tokens is one object.
    if (!instance || prototype === null || seen.has(instance)) continue;
    seen.add(instance);
    for (const key of scanner.getAllMethodNames(prototype)) {
      const method = instance[key];
      const plan = typeof method === "function" ? reflector.get<Plan | undefined>(PLAN, method) : undefined;
      if (plan === undefined || typeof method !== "function") continue;
      const label = `${instance.constructor.name}.${key}`;
      if (!wrapper.isDependencyTreeStatic()) {
        logger.warn(`${label} is not run: its class is created for each request. Move it to a provider of its own`);
        continue;
      }
      try {
        const job = { ...jobOf(plan, label, zone), method: `${label} of ${wrapper.host?.name}` };
        addJob(jobs, job, (run) => method.call(instance, run));
      } catch (error) {
        if (!isScheduleError(error)) throw error;
        problems.push(error.message);
      }
    }
  }
  if (problems.length === 0) return jobs;
  const text = problems.length === 1 ? problems[0] : [`${problems.length} jobs are wrong:`, ...problems].join("\n");
  const error = new ScheduleError("INVALID", text as string);
  // The methods are in the message. The stack would bury it: it has only functions of ojm and of Nest.
  error.stack = `${error.name}: ${error.message}`;
  throw error;
}

/** @throws ScheduleError `INVALID` if there is a job of the name */
export function addJob(jobs: Map<string, Job>, job: Omit<Job, "body">, method: (run: Run) => unknown): Job {
  const other = jobs.get(job.name);
  if (other !== undefined) {
    const isSame = other.method.split(" ")[0] === job.method.split(" ")[0];
    const what = isSame ? "provide the class in one module" : "give each a name of its own";
    const text = `"${job.name}" is the name of two jobs, ${other.method} and ${job.method}: ${what}`;
    throw new ScheduleError("INVALID", text, "name");
  }
  const added = { ...job, body: logged(method) };
  jobs.set(job.name, added);
  return added;
}

/** Nest's logger has the errors of jobs; the record of the run has them too. */
function logged(method: (run: Run) => unknown): Job["body"] {
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

/** @throws ScheduleError `INVALID` for a wrong option, with the method */
export function jobOf({ kind, name: given, time, options }: Plan, method: string, zone: string): Omit<Job, "body"> {
  const name = given ?? method;
  const rejected = (text: string): never => {
    throw new ScheduleError("INVALID", `${method}: ${text}`);
  };
  const checked = (check: () => unknown): void => {
    try {
      check();
    } catch (error) {
      if (!isScheduleError(error) && !isRunError(error)) throw error;
      throw new ScheduleError("INVALID", name === method ? error.message : `${method}: ${error.message}`);
    }
  };
  const delayOf = (option: string, ms: unknown): number =>
    Number.isSafeInteger(ms) && Number(ms) >= 0 && Number(ms) <= LONGEST_DELAY
      ? Number(ms)
      : rejected(`${option} is a whole number of ms, at most ${LONGEST_DELAY}, not ${String(ms)}`);
  const [decorator, known] = DECORATORS[kind];
  if (!isMap(options)) rejected(`the options of ${decorator} are a map, not ${String(options)}`);
  const { waitForCompletion, unrefTimeout, threshold, ...others } = options;
  if (waitForCompletion === false) rejected('waitForCompletion cannot be false: write overlap: "queue"');
  if (unrefTimeout === true) rejected("unrefTimeout is not possible: call app.close() to end the process");
  if (threshold !== undefined) rejected('threshold is not possible: write missed: { run: "latest", within: ms }');
  const unknown = Object.keys(others).find((option) => !known.includes(option));
  if (unknown !== undefined) rejected(`${decorator} ${unknownScheduleOption(unknown, known)}`);
  if (kind === "timeout") {
    checked(() => checkRunOptions(name, others));
    checked(() => others.retry === undefined || checkRetry(name, others.retry));
    return { kind, name, method, delay: delayOf("the delay", time), options: others };
  }
  const { name: _, timeZone, utcOffset, disabled = false, initialDelay = 0, ...policies } = others;
  let definition: ScheduleDefinition = { ...policies, every: time as number };
  if (kind === "cron") {
    if (typeof time !== "string")
      return rejected(
        "cronTime must be a text. For a run at one date, use a cron expression and Ojm.scheduler.remove()",
      );
    if (timeZone !== undefined && utcOffset !== undefined) rejected("utcOffset is not possible with a timeZone");
    if (utcOffset !== undefined && !(utcOffset % 60 === 0 && utcOffset >= -720 && utcOffset <= 840))
      rejected('utcOffset is in whole hours, in minutes: write a timeZone such as "Asia/Kolkata"');
    const offsetZone = utcOffset === undefined ? zone : zoneOf(utcOffset / 60);
    definition = { ...policies, cron: PRESETS[time] ?? time, timeZone: timeZone ?? offsetZone };
  } else if (Number(time) < 1_000) {
    rejected("an interval takes at least 1000 ms: for less, use setInterval in each process");
  }
  checked(() => checkDefinition(name, definition));
  return { kind, name, method, delay: delayOf("initialDelay", initialDelay), definition, disabled };
}

/** The sign in these names is the opposite one: POSIX counts to the west. */
function zoneOf(hours: number): string {
  return hours === 0 ? "UTC" : `Etc/GMT${hours > 0 ? "-" : "+"}${Math.abs(hours)}`;
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
