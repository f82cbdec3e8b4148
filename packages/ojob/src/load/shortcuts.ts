import { meantKey, writtenKey } from "../shortcuts/syntax.js";
import { REFUSED, SHORTCUTS, shortcutNamed } from "../shortcuts/table.js";
import { type Position, type Problems, place } from "../text/problem.js";
import type {
  Args,
  CustomShortcut,
  JobDefinition,
  JobFile,
  Shortcut,
  StepJob,
  StepReference,
  TodoEntry,
} from "./job-file.js";

interface Target {
  readonly job: JobDefinition;
  readonly shortcut: CustomShortcut;
}

/** Replaces the shortcuts that jobs define by `typeArgs.shortcut` with those jobs. */
export function resolveShortcuts(file: JobFile, problems: Problems): JobFile {
  const defined = definedIn(file, problems);
  const resolve = (reference: StepReference): StepReference[] => {
    if (!("shortcut" in reference)) return [reference];
    const { shortcut } = reference;
    if (shortcutNamed(shortcut.name) !== undefined) {
      const lists = Object.entries(shortcut.lists).map(([name, list]) => [name, list.flatMap(resolve)] as const);
      return [{ shortcut: { ...shortcut, lists: Object.fromEntries(lists) } }];
    }
    const target = defined.get(shortcut.name);
    if (target !== undefined) return [jobOf(shortcut, target, problems)];
    // A file that could not be read may define it.
    if (file.complete) problems.error(unknown(shortcut.name, defined), shortcut.at);
    return [];
  };
  const jobs = [...file.jobs].map(([name, job]) => {
    return [name, { ...job, from: job.from.flatMap(resolve), to: job.to.flatMap(resolve) }] as const;
  });
  const todo = file.todo.flatMap((entry): TodoEntry[] => {
    if (entry.shortcut === undefined) return [entry];
    return resolve({ shortcut: entry.shortcut }).map((step) => {
      if ("shortcut" in step) return { ...entry, shortcut: step.shortcut };
      return { job: step.job, at: step.at, args: [step.args], argsAt: step.argsAt };
    });
  });
  return { ...file, jobs: new Map(jobs), todo };
}

function definedIn({ jobs }: JobFile, problems: Problems): Map<string, Target> {
  const defined = new Map<string, Target>();
  for (const job of jobs.values()) {
    const { shortcut } = job.typeArgs;
    if (shortcut === undefined) continue;
    const name = String(shortcut.name ?? job.name).replace(/[()]/g, "");
    const at = job.typeArgsAt["shortcut"] ?? job.at;
    const other = defined.get(name);
    if (shortcutNamed(name) !== undefined || Object.hasOwn(REFUSED, name)) {
      problems.warn(`the shortcut "(${name})" comes with OpenAF: it does not stand for "${job.name}".`, at);
    } else if (other !== undefined) {
      problems.warn(`the shortcut "(${name})" stands for "${other.job.name}" already, at ${place(other.job.at)}.`, at);
    } else defined.set(name, { job, shortcut });
  }
  return defined;
}

/** The job that defines a shortcut, with the arguments that the shortcut gives to it. */
function jobOf(shortcut: Shortcut, { job, shortcut: { keyArg, args = {} } }: Target, problems: Problems): StepJob {
  const { name, at, values, places } = shortcut;
  const given: [string, unknown, Position][] = [];
  for (const [option, value] of Object.entries(values)) {
    const isValue = option === "value";
    const argument = isValue ? keyArg : args[option];
    const where = places[option] ?? at;
    if (argument !== undefined) given.push([String(argument).replace(/[()]/g, ""), value, where]);
    else if (isValue) problems.warn(`"(${name})" takes no value: this one has no effect.`, where);
    else {
      const hint = meantKey(option, Object.keys(args), true);
      problems.error(`the shortcut "(${name})" has no option "${writtenKey(option, true)}".${hint}`, where);
    }
  }
  const data: Args = Object.fromEntries(given.map(([argument, value]) => [argument, value]));
  const dataAt = Object.fromEntries(given.map(([argument, , where]) => [argument, where]));
  return { job: job.name, at, args: { ...data, ...shortcut.args }, argsAt: { ...dataAt, ...shortcut.argsAt } };
}

function unknown(name: string, defined: ReadonlyMap<string, Target>): string {
  const hint = meantKey(name, [...Object.keys(SHORTCUTS), ...Object.keys(REFUSED), ...defined.keys()], false);
  return `"(${name})" is not a shortcut: neither of OpenAF nor of a job of this file.${hint}`;
}
