import { Logger } from "@nestjs/common";
import { type DiscoveryService, MetadataScanner, Reflector } from "@nestjs/core";
import type { Run } from "@ojm/core";
import { checkDefinition, isScheduleError, type ScheduleDefinition, ScheduleError } from "@ojm/schedule";
import { PLAN, type Plan, type TimeoutOptions } from "./decorators.js";

/** A job of this application. */
export interface Job {
  readonly kind: Plan["kind"];
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
 * @throws ScheduleError `INVALID` for a wrong option, or if two methods have the same name
 */
export function findJobs(discovery: DiscoveryService, zone: string): Map<string, Job> {
  const jobs = new Map<string, Job>();
  const scanner = new MetadataScanner();
  const reflector = new Reflector();
  const seen = new Set<unknown>();
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
      if (wrapper.isDependencyTreeStatic()) {
        addJob(jobs, { ...jobOf(plan, label, zone), method: `${label} of ${wrapper.host?.name}` }, (run) =>
          method.call(instance, run),
        );
      } else {
        logger.warn(`${label} is not run: its class is created for each request. Move it to a provider of its own`);
      }
    }
  }
  return jobs;
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

/** @throws ScheduleError `INVALID` for a wrong option */
export function jobOf(plan: Plan, method: string, zone: string): Omit<Job, "body"> {
  const { kind, name = method } = plan;
  const rejected = (option: string, text: string): never => {
    throw new ScheduleError("INVALID", `${method}: ${option} ${text}`, option);
  };
  const delayOf = (option: string, ms: number): number =>
    Number.isSafeInteger(ms) && ms >= 0 && ms <= LONGEST_DELAY
      ? ms
      : rejected(option, `is a whole number of ms, at most ${LONGEST_DELAY}, not ${ms}`);
  const check = (definition: ScheduleDefinition): void => {
    try {
      checkDefinition(name, definition);
    } catch (error) {
      if (!isScheduleError(error) || name === method) throw error;
      throw new ScheduleError(error.code, `${method}: ${error.message}`, error.setting);
    }
  };
  if (kind === "timeout") return { kind, name, method, delay: delayOf("the delay", plan.ms), options: plan.options };
  if (kind === "interval") {
    if (plan.ms < 1_000) rejected("an interval", "takes at least 1000 ms: for less, use setInterval in each process");
    const definition = { ...plan.options, every: plan.ms };
    check(definition);
    return { kind, name, method, delay: 0, definition };
  }
  const { cron, options } = plan;
  const { name: _, timeZone, utcOffset, disabled = false, initialDelay = 0, ...others } = options;
  const { waitForCompletion, unrefTimeout, threshold, ...policies } = others;
  if (typeof cron !== "string") {
    rejected("cronTime", "must be a text. For a run at one date, use a cron expression and Ojm.scheduler.remove()");
  }
  if (waitForCompletion === false) rejected("waitForCompletion", 'cannot be false: write overlap: "queue"');
  if (unrefTimeout === true) rejected("unrefTimeout", "is not possible: call app.close() to end the process");
  if (threshold !== undefined) rejected("threshold", `is not possible: write missed: { run: "latest", within: ms }`);
  if (timeZone !== undefined && utcOffset !== undefined) rejected("utcOffset", "is not possible with a timeZone");
  if (utcOffset !== undefined && !(utcOffset % 60 === 0 && utcOffset >= -720 && utcOffset <= 840))
    rejected("utcOffset", `is in whole hours, in minutes: write a timeZone such as "Asia/Kolkata"`);
  const offsetZone = utcOffset === undefined ? zone : zoneOf(utcOffset / 60);
  const expression = PRESETS[cron as string] ?? (cron as string);
  const definition = { ...policies, cron: expression, timeZone: timeZone ?? offsetZone };
  check(definition);
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
