import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Rule } from "@ojm/alerts";
import type { Args, JobFile, Notify, NotifyRule, PlacedText } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { missingFile, saidPath } from "../../text/said-path.js";
import { firstTemplate } from "../../text/template.js";
import type { Surroundings } from "../environment/surroundings.js";
import { Openers } from "../manager/openers.js";
import type { Plan, PlannedNotify } from "../planned.js";
import { type FilledFrom, placeOf, RuleFiller } from "./fill-rule.js";

/**
 * The `notify` of a job file, filled and checked. The package of the alerts is loaded only if there is one.
 */
export async function planNotify(
  file: JobFile,
  plan: Plan,
  from: FilledFrom,
  problems: Problems,
): Promise<PlannedNotify | undefined> {
  const { notify } = file.settings;
  const [first] = notify?.rules ?? [];
  // What is wrong with the shape of a rule has been reported already.
  if (notify === undefined || first === undefined || !problems.isWhole) return undefined;
  if (!new Openers(plan).any && ![...plan.jobs.values()].some(({ steps }) => steps.some(takesLock))) {
    problems.warn('"notify" tells of the runs of the job manager, and no job of this file has any.', first.at);
  }
  return fillNotify(notify, from, problems);
}

/** Fills `notify` as it is written, in a job file or in a config, and checks it. */
export async function fillNotify(written: Notify, from: FilledFrom, problems: Problems): Promise<PlannedNotify> {
  const filler = new RuleFiller(from, problems);
  const before = problems.errors.length;
  const rules = written.rules.map((rule) => placed(filler.fill(rule), rule, from.around, problems) as unknown as Rule);
  const url = written.url && urlOf(written.url, filler);
  const notify = { rules, ...(url !== undefined && { url }) };
  // A value that nothing fills is no right one either.
  if (problems.errors.length === before) await checkAll(notify, written, problems);
  return notify;
}

function urlOf({ text, at }: PlacedText, filler: RuleFiller): string {
  return String(filler.fill({ values: { url: text }, at, places: {} })["url"]);
}

function takesLock(step: Plan["onAnyError"][number]): boolean {
  return "job" in step && step.job.startsWith("oJobManager ");
}

/** A program that is a path begins at the folder of the file. One without a slash is sought on the PATH. */
function placed(values: Args, { places, at }: NotifyRule, { values: look }: Surroundings, problems: Problems): Args {
  const { command } = values["to"] as { readonly command?: readonly string[] };
  const [program = "", ...parameters] = command ?? [];
  if (!program.includes("/") || firstTemplate(program) !== undefined) return values;
  const where = placeOf("to.command", places) ?? at;
  const path = isAbsolute(program) ? program : saidPath(program, where);
  // Whoever only looks at the runs of the file may be on another machine.
  if (look !== "found" && !existsSync(path)) problems.flaw(missingFile(program, where), where);
  return { ...values, to: { ...(values["to"] as Args), command: [path, ...parameters] } };
}

/** Reports what the package of the alerts finds wrong, of each rule alone first. */
async function checkAll({ rules, url }: PlannedNotify, written: Notify, problems: Problems): Promise<void> {
  const { AlertsError, checkRules } = await import("@ojm/alerts");
  const told = (some: readonly Rule[], first: number, address?: string): void => {
    try {
      checkRules(some, address);
    } catch (error) {
      if (!(error instanceof AlertsError)) throw error;
      if (error.option === "url") {
        problems.flaw(`"notify": ${error.message}.`, written.url?.at);
        return;
      }
      const { index, at } = placeIn(error.option, error.message, first, written.rules);
      const rest = error.message.slice(/^rules\[\d+\]/.exec(error.message)?.[0].length ?? 0);
      problems.flaw(`notify[${index}]${rest.replaceAll("rules[", "notify[")}.`, at);
    }
  };
  const before = problems.errors.length;
  for (const [index, rule] of rules.entries()) told([rule], index);
  if (problems.errors.length === before) told(rules, 0, url);
}

/** Where an option stands, or the one of its options that the message is about. */
function placeIn(
  option: string,
  message: string,
  first: number,
  written: readonly NotifyRule[],
): { readonly index: number; readonly at: Position | undefined } {
  const index = first + Number(/\[(\d+)\]/.exec(option)?.[1] ?? 0);
  const { places = {}, at } = written[index] ?? {};
  const path = option.replace(/^rules\[\d+\]\.?/, "");
  const named = /^: (\w+) /.exec(message.slice(option.length))?.[1];
  const inner = named === undefined ? path : `${path}${path === "" ? "" : "."}${named}`;
  return { index, at: placeOf(inner, places) ?? at };
}
