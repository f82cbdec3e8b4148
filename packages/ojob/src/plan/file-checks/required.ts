import type { Args, JobFile } from "../../load/job-file.js";
import type { Position, Problems } from "../../text/problem.js";
import { fillArgs, type Missing, mergeArgs } from "../args.js";

/** What is said where a `${x:?message}` has no value. */
export function requiredText(argument: string, written: string, message: string): string {
  const name = /[^${]+?(?=:)/.exec(written)?.[0] ?? written;
  return `${message.replace(/\.$/, "")}. Set ${name} in the environment, or as an argument: "${argument}" needs it.`;
}

/**
 * Finds each `${x:?message}` without a value in what the todo runs, before anything is started. Where an
 * earlier job may hand the value on, the start of the job looks.
 */
export function checkRequired(file: JobFile, commandLine: Args, problems: Problems): void {
  // A template that cannot be read, which is an error already, throws when it is filled.
  if (problems.errors.length > 0 || file.settings.shareArgs) return;
  const told =
    (argsAt: Readonly<Record<string, Position>>, at: Position): Missing =>
    (argument, written, message) => {
      if (message === undefined) return;
      problems.error(requiredText(argument, written, message), argsAt[argument] ?? at);
    };
  for (const { job, args, argsAt, at, when } of file.todo) {
    const definition = file.jobs.get(job);
    // A subscription has the change of its channel among the args of each run.
    if (definition === undefined || when !== undefined || definition.type === "subscribe") continue;
    for (const written of args.length > 0 ? args : [{}]) {
      const given = fillArgs(written, commandLine, told(argsAt, at));
      for (const own of definition.args) {
        mergeArgs({ own, given, commandLine }, told(definition.argsAt, definition.at));
      }
    }
  }
}
