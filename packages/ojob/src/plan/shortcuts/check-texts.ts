import type { Shortcut } from "../../load/job-file.js";
import { wrongTemplate } from "../../text/handlebars/handlebars.js";
import type { Position, Problems } from "../../text/problem.js";
import { hasBlocks } from "../../text/template.js";

/** The helpers that templates of shortcuts have beside the others. */
export const SHORTCUT_HELPERS: readonly string[] = ["$get", "$path"];

/** A call of such a helper. */
const CALL = /\{\{[^{}]*\$(?:get|path)\b/;

/** A template that is a path alone. */
const PLAIN = /\{\{\{?\s*[\p{L}\p{N}_$.[\]-]+\s*\}?\}\}/gu;

/** The shortcuts whose text is a template of Handlebars as a whole, as in OpenAF. */
const WHOLE: readonly string[] = ["print", "printmd", "log", "template", "if"];

/** Whether only Handlebars can fill a text of a shortcut. */
export function needsHandlebars(text: string): boolean {
  return text.includes("{{") && (hasBlocks(text) || CALL.test(text));
}

/** Finds templates in the values of a shortcut that cannot be filled. */
export function checkTexts({ name, values, places, args, argsAt, at }: Shortcut, problems: Problems): void {
  for (const [option, value] of Object.entries(values)) {
    const isWhole = option === "value" && WHOLE.includes(name);
    checkValue(value, isWhole, option === "value" ? `(${name})` : `((${option}))`, places[option] ?? at, problems);
  }
  for (const [argument, value] of Object.entries(args))
    checkValue(value, false, argument, argsAt[argument] ?? at, problems);
}

function checkValue(value: unknown, isWhole: boolean, what: string, at: Position, problems: Problems): void {
  if (typeof value === "string") {
    const needed = isWhole ? value.replace(PLAIN, "").includes("{{") : needsHandlebars(value);
    const wrong = needed || needsHandlebars(value) ? wrongTemplate(value, SHORTCUT_HELPERS) : undefined;
    if (wrong !== undefined) problems.error(`the template in "${what}" cannot be filled: ${wrong.message}.`, at);
  } else if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) checkValue(item, isWhole, what, at, problems);
  }
}
