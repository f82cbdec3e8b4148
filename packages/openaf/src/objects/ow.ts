import { type Fields, type Functions, isMap } from "../data/types.js";
import { NET } from "../net/net.js";
import { $output } from "../print/output.js";
import { addHelpers, delHelper, parse } from "../text/template.js";
import { thread } from "../thread.js";
import { FORMAT } from "./format.js";
import { OBJ } from "./obj.js";

const template: Functions = {
  parse,
  // A compiled template is its text: this package has no other use for one.
  compile: (text: unknown): string => String(text),
  execCompiled:
    (compiled: unknown): ((data?: unknown) => string) =>
    (data) =>
      parse(compiled, data),
  addHelper: (name: string, helper: unknown): void => addHelpers("", { [name]: helper }),
  addHelpers,
  delHelper,
  addFormatHelpers: (): void => addHelpers("owFormat_", FORMAT),
  // The helpers that there are, are always there.
  addOpenAFHelpers: (): void => {},
};

/** An item of a todo: the name of a job, or a map with its name and its args. */
function itemOf(todo: unknown): { readonly name: string; readonly args: Fields } {
  const { name, job = name, args = {} } = isMap(todo) ? todo : { name: todo };
  return { name: String(name ?? job), args: args as Fields };
}

/** Runs a job to its end, and returns its args. */
export function oJobRunJob(job: unknown, args: Fields = {}): unknown {
  const item = itemOf(job);
  return thread.$job(item.name, { ...item.args, ...args });
}

const oJob: Functions = {
  output: $output,
  runJob: oJobRunJob,
  add2Todo(todo: unknown): unknown {
    const { name, args } = itemOf(todo);
    return thread.oJobManagerLaunchJob(name, args);
  },
};

/** The object `ow`. Its parts are always there: to load one only returns it. */
export const ow: Functions = {
  format: FORMAT,
  obj: OBJ,
  net: NET,
  template,
  oJob,
  loadFormat: (): Functions => FORMAT,
  loadObj: (): Functions => OBJ,
  loadNet: (): Functions => NET,
  loadTemplate: (): Functions => template,
  loadOJob: (): Functions => oJob,
};
