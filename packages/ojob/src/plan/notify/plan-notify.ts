import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Rule } from "@ojm/alerts";
import type { Args, JobFile, NotifyRule } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { missingFile, saidPath } from "../../text/said-path.js";
import { firstTemplate } from "../../text/template.js";
import type { Surroundings } from "../environment/surroundings.js";
import { Openers } from "../manager/openers.js";
import type { Plan } from "../planned.js";
import { placeOf, RuleFiller } from "./fill-rule.js";

/** What the rules of a file are filled from. */
interface Given {
  /** The arguments that all jobs have. */
  readonly args: Args;
  readonly around: Surroundings;
}

/** The rules of `notify`, filled and checked. The package of the alerts is loaded only if there are any. */
export async function planNotify(
  file: JobFile,
  plan: Plan,
  given: Given,
  problems: Problems,
): Promise<readonly Rule[]> {
  const { notify = [] } = file.settings;
  const [first] = notify;
  // What is wrong with the shape of a rule has been reported already.
  if (first === undefined || !problems.isWhole) return [];
  if (!new Openers(plan).any && ![...plan.jobs.values()].some(({ steps }) => steps.some(takesLock))) {
    problems.warn('"notify" tells of the runs of the job manager, and no job of this file has any.', first.at);
  }
  const filler = new RuleFiller(given.args, given.around, problems);
  const before = problems.errors.length;
  const rules = notify.map((rule) => placed(filler.fill(rule), rule, given.around, problems) as unknown as Rule);
  // A value that nothing fills is no right one either.
  if (problems.errors.length === before) await checkAll(rules, notify, problems);
  return rules;
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
async function checkAll(rules: readonly Rule[], written: readonly NotifyRule[], problems: Problems): Promise<void> {
  const { AlertsError, checkRules } = await import("@ojm/alerts");
  const told = (some: readonly Rule[], first: number): void => {
    try {
      checkRules(some);
    } catch (error) {
      if (!(error instanceof AlertsError)) throw error;
      const { index, at } = placeIn(error.option, error.message, first, written);
      const rest = error.message.slice(/^rules\[\d+\]/.exec(error.message)?.[0].length ?? 0);
      problems.flaw(`notify[${index}]${rest.replaceAll("rules[", "notify[")}.`, at);
    }
  };
  const before = problems.errors.length;
  for (const [index, rule] of rules.entries()) told([rule], index);
  if (problems.errors.length === before) told(rules, 0);
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
