import type { CodeBlock, JobDefinition, JobFile } from "../../load/job-file.js";
import { placeIn } from "../../script/compile.js";
import { wrongTemplate } from "../../text/handlebars/handlebars.js";
import type { Position, Problems } from "../../text/problem.js";
import { hasBlocks } from "../../text/template.js";

/** Finds templates with blocks or helpers that cannot be filled, in the arguments of jobs and of the todo. */
export function checkTemplates({ jobs, todo }: JobFile, problems: Problems): void {
  for (const { args, argsAt, at } of [...jobs.values(), ...todo]) {
    for (const one of args) {
      for (const [name, value] of Object.entries(one)) checkValue(value, `"${name}"`, argsAt[name] ?? at, problems);
    }
  }
}

/**
 * Finds templates in arguments that the file wants to stay as they are written. OpenAF fills none of them
 * then, and ojm fills all that have a value.
 */
export function refuseTemplates({ jobs, todo, settings }: JobFile, problems: Problems): void {
  const isOff = (job: JobDefinition | undefined): boolean =>
    job?.typeArgs.noTemplateArgs ?? settings.templateArgs === false;
  const owners = [
    ...[...jobs.values()].filter(isOff),
    ...todo.filter(({ job, shortcut }) => shortcut === undefined && isOff(jobs.get(job))),
  ];
  for (const { args, argsAt, at } of owners) {
    for (const [name, value] of args.flatMap((one) => Object.entries(one))) {
      if (!JSON.stringify(value)?.includes("{{")) continue;
      const message = `the template in "${name}" would be filled, and "noTemplateArgs" or "templateArgs" says that it stays.`;
      problems.flaw(`${message} Set it in a script: args.${name} = "{{…}}".`, argsAt[name] ?? at);
    }
  }
}

function checkValue(value: unknown, what: string, at: Position, problems: Problems): void {
  if (typeof value === "string") {
    const wrong = hasBlocks(value) ? wrongTemplate(value) : undefined;
    if (wrong !== undefined) problems.error(`the template in ${what} cannot be filled: ${wrong.message}.`, at);
  } else if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) checkValue(item, what, at, problems);
  }
}

/** The same in a script in another language than JavaScript. */
export function checkScriptTemplates(code: CodeBlock, name: string, problems: Problems): void {
  const wrong = hasBlocks(code.code) ? wrongTemplate(code.code) : undefined;
  if (wrong === undefined) return;
  const column = Math.max(0, code.code.split("\n")[wrong.line - 1]?.indexOf("{{") ?? 0) + 1;
  const at = placeIn(code, code.line + wrong.line - 1, column);
  problems.flaw(`the template in the script of "${name}" cannot be filled: ${wrong.message}.`, at);
}
