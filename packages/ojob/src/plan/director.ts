import { isDeepStrictEqual } from "node:util";
import { durationOf } from "@ojm/core/internal";
import { DIRECTOR_CHECK, DIRECTOR_CHECKIN, DIRECTOR_CHECKOUT, DIRECTOR_INIT, DIRECTOR_WAIT } from "../load/builtin.js";
import type { Args, JobFile } from "../load/job-file.js";
import type { Position, Problems } from "../text/problem.js";
import { firstTemplate, hasTemplate, isMap } from "../text/template.js";
import { fillArgs, mergeArgs, runArgs } from "./args.js";
import { Openers } from "./manager/openers.js";
import type { Plan, PlannedJob } from "./planned.js";

/* The jobs of oJob Director: their arguments, and the mistakes that a file shows. */

/** The jobs that are about one entry. */
const OF_ENTRY: readonly string[] = [DIRECTOR_CHECK, DIRECTOR_CHECKIN, DIRECTOR_CHECKOUT, DIRECTOR_WAIT];

/** The defaults of OpenAF. */
export const DEFAULT_CHANNEL = "oJob::check";
export const DEFAULT_STAMP: Args = { type: "director" };

/** What `init` was given. */
export interface DirectorSettings {
  readonly ch: string;
  readonly stamp: Args;
  /** How long an entry that is done stays, in ms; `undefined`: until a program removes it. */
  readonly keep: number | undefined;
}

/** The settings in the arguments of `init`, or what is wrong with one of them. */
export function settingsOf(args: Args): DirectorSettings | { readonly argument: string; readonly message: string } {
  const { ch = DEFAULT_CHANNEL, stamp = DEFAULT_STAMP, keep } = args;
  const wrong = (argument: string, what: string) => {
    return { argument, message: `${DIRECTOR_INIT}: "${argument}" must be ${what}.` };
  };
  if (typeof ch !== "string" || ch === "") return wrong("ch", "the name of a channel");
  if (!isMap(stamp)) return wrong("stamp", "a map, such as {type: director}");
  const span = keep === undefined ? undefined : durationOf(keep, 1);
  return keep !== undefined && span === undefined
    ? wrong("keep", "a duration, such as 30d")
    : { ch, stamp, keep: span };
}

/** The fields of the date of a `jobUUID`, in UTC: machines with different time zones must have the same. */
const DATE_FIELDS: Readonly<Record<string, (iso: string) => string>> = {
  yyyy: (iso) => iso.slice(0, 4),
  MM: (iso) => iso.slice(5, 7),
  dd: (iso) => iso.slice(8, 10),
  HH: (iso) => iso.slice(11, 13),
  mm: (iso) => iso.slice(14, 16),
  ss: (iso) => iso.slice(17, 19),
};

const CALL = /\{\{\s*(?:ow\.format\.fromDate\(\s*new Date\(\)\s*,\s*(["'])([^"'{}]*)\1\s*\)|(genUUID)\(\s*\))\s*\}\}/g;

/**
 * A text of the arguments with its calls filled: `{{genUUID()}}`, and `{{ow.format.fromDate(new Date(),
 * 'yyyyMMddHH')}}`, whose date is `time`. Throws for a letter of a date that is not known.
 */
export function withCalls(text: string, time: number, uuid: () => string): string {
  const iso = new Date(time).toISOString();
  return text.replace(CALL, (_all, _quote, pattern: string | undefined, isUuid: string | undefined) => {
    if (isUuid !== undefined || pattern === undefined) return uuid();
    return pattern.replace(/([a-zA-Z])\1*/g, (letters) => {
      const field = Object.hasOwn(DATE_FIELDS, letters) ? DATE_FIELDS[letters] : undefined;
      if (field === undefined)
        throw new Error(
          `"${letters}" is not known in the date of a jobUUID: ${Object.keys(DATE_FIELDS).join(", ")} are`,
        );
      return field(iso);
    });
  });
}

/** The name and the id of an entry in the arguments, or why they have none. */
export function entryOf(job: string, args: Args): { readonly name: string; readonly uuid: string } | string {
  const [name, uuid] = [args["jobName"], args["jobUUID"]].map((value) =>
    typeof value === "number" || typeof value === "boolean" ? String(value) : value,
  );
  for (const [argument, value] of Object.entries({ jobName: name, jobUUID: uuid })) {
    if (typeof value !== "string" || value === "") return `${job} needs "${argument}" among the args.`;
    const template = firstTemplate(value);
    if (template !== undefined) return unfilled(argument, template);
  }
  return { name: name as string, uuid: uuid as string };
}

function unfilled(argument: string, template: string): string {
  const name = /[^\s{}.[\]]+/.exec(template)?.[0] ?? "it";
  return `nothing fills ${template} in "${argument}": all runs would have the same id, and only the first would work. Add ${name}=… to the command line, or "${name}" to the args.`;
}

/** Finds wrong arguments of the jobs of oJob Director, and warns of what OpenAF's did silently. */
export function checkDirector(file: JobFile, plan: Plan, common: Args, problems: Problems): void {
  const used = [...file.jobs.values()].filter(({ from, to }) =>
    [...from, ...to].some((step) => "job" in step && OF_ENTRY.includes(step.job)),
  );
  const inits = [...file.jobs.values(), ...file.todo.map((entry) => ({ ...entry, name: entry.job, from: [], to: [] }))];
  const settings: { readonly args: Args; readonly at: Position }[] = inits.flatMap(({ name, from, to, args, at }) => {
    const isInit =
      name === DIRECTOR_INIT || [...from, ...to].some((step) => "job" in step && step.job === DIRECTOR_INIT);
    return isInit ? args.map((each) => ({ args: each, at })) : [];
  });
  for (const { args, at } of settings) {
    const found = Object.values(args).some(hasTemplate) ? undefined : settingsOf(args);
    if (found !== undefined && "argument" in found) problems.flaw(found.message, at);
  }
  const wanted = settings.map(({ args: { ch, stamp, keep } }) => ({ ch, stamp, keep }));
  const other = wanted.findIndex((one) => !isDeepStrictEqual(one, wanted[0]));
  if (other > 0) {
    const text = `this file calls ${DIRECTOR_INIT} with different arguments. It has one channel and one stamp: call it once.`;
    problems.warn(text, settings[other]?.at as Position);
  }
  for (const { name, args, argsAt, at } of used) {
    const job = plan.jobs.get(name);
    if (job === undefined) continue;
    for (const own of args)
      for (const argument of ["ch", "stamp", "keep"])
        if (own[argument] !== undefined) {
          const text = `"${argument}" of "${name}" has no effect: only ${DIRECTOR_INIT} takes it. Move it there.`;
          problems.warn(text, argsAt[argument] ?? at);
        }
    checkEntries(file, job, common, problems);
    const { jobUUID } = args[0] ?? {};
    if (job.type === "periodic" && typeof jobUUID === "string" && !hasTemplate(jobUUID) && !jobUUID.includes("${")) {
      const text = `"jobUUID" of "${name}" is the same at each tick, so the job runs once in all. Write the date into it: "{{ow.format.fromDate(new Date(), 'yyyyMMddHH')}}".`;
      problems.warn(text, argsAt["jobUUID"] ?? at);
    }
  }
  warnOfScripts(file, problems);
  const isUsed = used.length > 0;
  const hasStore =
    file.settings.channels !== undefined || scriptsOf(file).some(({ code }) => code.includes(".create("));
  if (isUsed && file.todo.length > 0 && !hasStore && !new Openers(plan).any) {
    const text = `the check-ins of "${used[0]?.name}" are in memory: other processes do the same work again. Create the channel of ${DIRECTOR_INIT} in a store, by "ojob.channels" or oJobManager Init.`;
    problems.warn(text, used[0]?.at as Position);
  }
}

/** Finds ids that nothing fills, for the items of the todo. */
function checkEntries(file: JobFile, job: PlannedJob, common: Args, problems: Problems): void {
  const [first] = job.steps;
  // A script before it may change the arguments.
  const isFirst = first !== undefined && "job" in first && OF_ENTRY.includes(first.job);
  if (!isFirst || job.argsCode !== undefined || file.settings.shareArgs === true || job.checks.in.length > 0) return;
  for (const entry of file.todo) {
    if (entry.job !== job.name || entry.argsCode !== undefined) continue;
    for (const given of runArgs(entry))
      for (const own of runArgs(job)) {
        const filled = fillArgs(given, common, () => {}, job.environment.all);
        const args = mergeArgs({ own, given: filled, commandLine: common, secrets: job.secretArgs }, () => {});
        const uuid = typeof args["jobUUID"] === "string" ? args["jobUUID"].replace(CALL, "x") : args["jobUUID"];
        const found = entryOf(DIRECTOR_CHECKIN, { ...args, jobUUID: uuid });
        if (typeof found === "string") problems.flaw(found, job.argsAt["jobUUID"] ?? entry.at);
      }
  }
}

/** The calls whose result a script drops: they cannot end the script, as a step of `from` ends its job. */
function warnOfScripts(file: JobFile, problems: Problems): void {
  for (const { code, at, name } of scriptsOf(file)) {
    if (!/^\s*\$job\(\s*["']oJob Director check["']/m.test(code)) continue;
    const text = `"${name}" calls ${DIRECTOR_CHECK} and drops its result: in a script it returns the entry, and stops nothing. Put it under "from", or use what it returns.`;
    problems.warn(text, at);
  }
}

function scriptsOf(file: JobFile): { readonly name: string; readonly code: string; readonly at: Position }[] {
  return [...file.jobs.values()].flatMap(({ name, at, exec }) =>
    exec === undefined ? [] : [{ name, at, code: exec.code }],
  );
}
