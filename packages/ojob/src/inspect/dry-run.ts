import type { RetryOptions } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { LINES, maskUrls, visible } from "@ojm/core/internal";
import type { Args, Shortcut, TodoEntry } from "../load/job-file.js";
import { firstLine } from "../load/yaml/node.js";
import { around, fillArgs, mergeArgs, runArgs } from "../plan/args.js";
import { preparing } from "../plan/manager/channels.js";
import { eachStart } from "../plan/manager/starts.js";
import { isSequential, type Plan, type PlannedJob, runLimits, type Step, timeZoneOf } from "../plan/planned.js";
import { type Prepared, prepareJobFile } from "../prepare.js";
import type { RunFileOptions } from "../run.js";
import { describe, place } from "../text/problem.js";
import { shownArgs } from "../text/secrets.js";

/** How a dry run is made: with the options of the run itself. */
export type DryRunOptions = Pick<RunFileOptions, "args" | "strict" | "jobs" | "loads" | "prepare">;

/** More runs of one item are only counted. */
const MAX_RUNS = 10;

export async function describeRun(name: string, options: DryRunOptions): Promise<string> {
  const { args = {}, prepare, ...how } = options;
  const prepared = await prepareJobFile(name, { ...how, args, channelTypes: preparing(prepare), purpose: "run" });
  const items = await Promise.all(prepared.plan.todo.map((entry, i) => itemText(entry, i, prepared)));
  const warnings = prepared.warnings.map((warning) => describe(warning));
  const parts = [...warnings, `${name} would run, ${orderOf(prepared.plan)}:`, ...items, "Nothing was run."];
  return `${visible(prepared.mask(parts.join("\n")), LINES)}\n`;
}

function orderOf({ settings, todo }: Plan): string {
  if (todo.length === 1) return "once";
  return isSequential(settings) ? "one after the other" : "all at once, except jobs that wait for others";
}

async function itemText(entry: TodoEntry, index: number, { plan, args, mask }: Prepared): Promise<string> {
  const job = plan.jobs.get(entry.job);
  if (job === undefined) return "";
  const runs = runsOf(entry, job, args);
  const facts: (readonly [string, string])[] = [
    ["only if", firstLine(entry.when?.code)],
    ["waits for", job.deps.map((one) => one.job).join(", ")],
    ["schedule", await scheduleOf(job, plan)],
    ...wordsOf(job),
    ["runs", followedBy(job)],
    ["runs", countOf(job, runs.length)],
    ["at the end", job.type === "shutdown" ? "once all others are done" : ""],
    ["steps", job.steps.map((step) => stepText(step)).join(", ")],
    ["lock", locksOf(entry, job, plan, args)],
    ["env", Object.keys(job.environment.added).join(", ")],
    ["secrets", [...new Set(job.requestedSecrets)].join(", ")],
    ["folder", job.folder ?? ""],
    ["args by", [entry.argsCode, job.argsCode].flatMap((code) => (code ? [firstLine(code.code)] : [])).join(", ")],
    ...runs.slice(0, MAX_RUNS).map((one) => ["args", shownArgs(one, job.secrets, mask)] as const),
    ["args", runs.length > MAX_RUNS ? `and ${runs.length - MAX_RUNS} runs more` : ""],
  ];
  const lines = facts.filter(([, text]) => text !== "").map(([name, text]) => `     ${name.padEnd(10)} ${text}`);
  return [`${String(index + 1).padStart(3)}. ${entry.job}`, ...lines].join("\n");
}

/** The arguments of each run that an item makes, as far as they are known before a script runs. */
function runsOf(entry: TodoEntry, job: PlannedJob, commandLine: Args): Args[] {
  return runArgs(entry).flatMap((given) =>
    runArgs(job).map((own) => mergeArgs({ own, given, commandLine, ...around(job) }, () => {})),
  );
}

function followedBy({ type, typeArgs: { chSubscribe, onlyFromNow } }: PlannedJob): string {
  if (type !== "subscribe") return "";
  return `for each ${onlyFromNow ? "" : "entry and each "}change of the channel ${chSubscribe}`;
}

/** How many runs an item makes, if the job file has settings for several runs. */
function countOf(job: PlannedJob, count: number): string {
  const { limit, failFast } = runLimits(job);
  if (count < 2 || (job.matrix === undefined && limit >= count && !failFast)) return "";
  const atOnce = limit === 1 ? ", one after the other" : limit < count ? `, at most ${limit} at once` : "";
  return `${count} times${atOnce}${failFast ? ". The first failure stops the others" : ""}`;
}

function stepText(step: Step): string {
  const options = [
    ...(step.timeout === undefined ? [] : [`at most ${durationText(step.timeout)}`]),
    ...(step.continueOnError ? ["may fail"] : []),
  ];
  return options.length === 0 ? nameOf(step) : `${nameOf(step)} (${options.join(", ")})`;
}

function nameOf(step: Step): string {
  if ("job" in step) return step.job;
  if ("shortcut" in step) return shortcutText(step.shortcut);
  const { code, lang } = step;
  return `${lang === undefined ? "script" : `${lang} script`} at ${place({ source: code.source, line: code.line, column: 1 })}`;
}

/** A shortcut, with its condition and the jobs that it may run. */
function shortcutText({ name, blocks, lists }: Shortcut): string {
  const value = firstLine(blocks["value"]?.code);
  const jobs = Object.entries(lists).map(([list, steps]) => {
    const names = steps.map((step) => stepText(step)).join(", ");
    return list === "value" ? names : `${list}: ${names}`;
  });
  return [`(${name})`, maskUrls(value), jobs.length > 0 ? `[${jobs.join("; ")}]` : ""].filter(Boolean).join(" ");
}

function locksOf(entry: TodoEntry, job: PlannedJob, { jobs, environment }: Plan, commandLine: Args): string {
  const names = job.typeArgs.lock === undefined ? [] : [String(job.typeArgs.lock)];
  const visit = ({ args }: { readonly args: Args }): void =>
    void names.push(String(args["name"] ?? "args.name, not known yet"));
  for (const given of runArgs(entry)) {
    const filled = fillArgs(given, commandLine, () => {}, environment.all);
    eachStart(job, filled, () => entry.at, { jobs, commandLine, visit });
  }
  return [...new Set(names)].join(", ");
}

async function scheduleOf({ type, typeArgs }: PlannedJob, { settings }: Plan): Promise<string> {
  const { cron, timeInterval = 0 } = typeArgs;
  if (type !== "periodic") return "";
  if (cron === undefined) return `every ${durationText(timeInterval)}`;
  const { cronSchedule } = await import("@ojm/schedule");
  const zone = timeZoneOf(typeArgs, settings);
  const next = new Date(cronSchedule(String(cron), zone).next(Date.now())).toISOString();
  return `${cron} (${zone}), next at ${next}`;
}

/** What happens to ticks and to failed runs, if the job file says so. */
function wordsOf({ typeArgs }: PlannedJob): [string, string][] {
  const { retry, overlap = "", missed, jitter, blackout } = typeArgs;
  return [
    ["overlap", overlap],
    ["missed", typeof missed === "object" ? JSON.stringify(missed) : (missed ?? "")],
    ["jitter", jitter === undefined ? "" : `up to ${durationText(jitter)}`],
    ["blackout", (blackout ?? []).map((window) => JSON.stringify(window)).join(", ")],
    ["retry", retry === undefined ? "" : retryText(retry)],
  ];
}

function retryText({ attempts, delay = 60_000, backoff = "exponential", onLost }: RetryOptions): string {
  const lost = onLost ? ", even if its process is lost" : "";
  const doubled = backoff === "fixed" ? "" : ", then twice as long each time";
  return `${attempts} attempts in all, the next one after ${delay} ms${doubled}${lost}`;
}
