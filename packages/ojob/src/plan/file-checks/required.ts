import type { Args, JobFile } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { around, fillArgs, type Missing, mergeArgs } from "../args.js";
import type { Plan } from "../planned.js";

/** What is said where a `${x:?message}` has no value. */
export function requiredText(argument: string, written: string, message: string): string {
  return `${requiredHead(written, message)}, or as an argument: "${argument}" needs it.`;
}

/** The same of a variable of the environment, which only the environment fills. */
export function requiredVariable(written: string, message: string): string {
  return `${requiredHead(written, message)}.`;
}

function requiredHead(written: string, message: string): string {
  const name = /[^${]+?(?=:)/.exec(written)?.[0] ?? written;
  return `${message.replace(/\.$/, "")}. Set ${name} in the environment`;
}

/**
 * Finds each `${x:?message}` without a value in what the todo runs, before anything is started. Where an
 * earlier job may hand the value on, the start of the job looks.
 */
export function checkRequired(file: JobFile, plan: Plan, commandLine: Args, problems: Problems): void {
  // A template that cannot be read, which is an error already, throws when it is filled.
  if (!problems.isWhole || file.settings.shareArgs) return;
  const told =
    (argsAt: Readonly<Record<string, Position>>, at: Position): Missing =>
    (argument, written, message) => {
      if (message === undefined) return;
      problems.flaw(requiredText(argument, written, message), argsAt[argument] ?? at);
    };
  for (const { job, args, argsAt, at, when } of file.todo) {
    const definition = file.jobs.get(job);
    const planned = plan.jobs.get(job);
    // A subscription has the change of its channel among the args of each run.
    if (definition === undefined || planned === undefined || when !== undefined || definition.type === "subscribe")
      continue;
    for (const written of args.length > 0 ? args : [{}]) {
      const given = fillArgs(written, commandLine, told(argsAt, at), plan.environment.all);
      for (const own of definition.args) {
        mergeArgs({ own, given, commandLine, ...around(planned) }, told(definition.argsAt, definition.at));
      }
    }
  }
}
