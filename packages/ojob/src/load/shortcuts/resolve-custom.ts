import { nearest } from "@ojm/core/internal";
import { type Position, type Problems, place } from "../../text/problem.js";
import type {
  Args,
  CustomShortcut,
  JobDefinition,
  JobFile,
  Shortcut,
  StepJob,
  StepReference,
  TodoEntry,
} from "../job-file.js";
import { writtenKey } from "./keys.js";
import { REFUSED } from "./refused.js";
import { SHORTCUTS, shortcutShape } from "./table.js";

/** A job that a shortcut stands for. */
interface Target {
  readonly job: JobDefinition;
  readonly shortcut: CustomShortcut;
}

/**
 * Puts jobs in the place of the shortcuts that stand for them, by `typeArgs.shortcut`. A shortcut that nobody
 * defines is an error.
 */
export function resolveShortcuts(file: JobFile, problems: Problems): JobFile {
  const resolver = new Resolver(definedIn(file, problems), file.complete, problems);
  const jobs = [...file.jobs].map(([name, job]) => {
    return [name, { ...job, from: resolver.steps(job.from), to: resolver.steps(job.to) }] as const;
  });
  return { ...file, jobs: new Map(jobs), todo: file.todo.flatMap((entry) => resolver.entry(entry)) };
}

function definedIn({ jobs }: JobFile, problems: Problems): Map<string, Target> {
  const defined = new Map<string, Target>();
  for (const job of jobs.values()) {
    const { shortcut } = job.typeArgs;
    if (shortcut === undefined) continue;
    const name = String(shortcut.name ?? job.name).replace(/[()]/g, "");
    const at = job.typeArgsAt["shortcut"] ?? job.at;
    const other = defined.get(name);
    if (shortcutShape(name) !== undefined || Object.hasOwn(REFUSED, name)) {
      problems.warn(`the shortcut "(${name})" comes with OpenAF: it does not stand for "${job.name}".`, at);
    } else if (other !== undefined) {
      problems.warn(`the shortcut "(${name})" stands for "${other.job.name}" already, at ${place(other.job.at)}.`, at);
    } else defined.set(name, { job, shortcut });
  }
  return defined;
}

class Resolver {
  readonly #defined: ReadonlyMap<string, Target>;
  readonly #complete: boolean;
  readonly #problems: Problems;

  constructor(defined: ReadonlyMap<string, Target>, complete: boolean, problems: Problems) {
    this.#defined = defined;
    this.#complete = complete;
    this.#problems = problems;
  }

  entry(entry: TodoEntry): TodoEntry[] {
    if (entry.shortcut === undefined) return [entry];
    const [step] = this.#step({ shortcut: entry.shortcut });
    if (step === undefined) return [];
    if ("shortcut" in step) return [{ ...entry, shortcut: step.shortcut }];
    return [{ job: step.job, at: step.at, args: [step.args], argsAt: step.argsAt }];
  }

  steps(references: readonly StepReference[]): StepReference[] {
    return references.flatMap((reference) => this.#step(reference));
  }

  #step(reference: StepReference): StepReference[] {
    if (!("shortcut" in reference)) return [reference];
    const { shortcut } = reference;
    if (shortcutShape(shortcut.name) !== undefined) {
      const lists = Object.entries(shortcut.lists).map(([name, list]) => [name, this.steps(list)] as const);
      return [{ shortcut: { ...shortcut, lists: Object.fromEntries(lists) } }];
    }
    const target = this.#defined.get(shortcut.name);
    if (target !== undefined) return [this.#jobOf(shortcut, target)];
    // It may stand for a job of a file that could not be read.
    if (this.#complete) this.#problems.error(unknown(shortcut.name, this.#defined), shortcut.at);
    return [];
  }

  /** The job that a shortcut stands for, with the arguments that the shortcut gives to it. */
  #jobOf(shortcut: Shortcut, { job, shortcut: { keyArg, args = {} } }: Target): StepJob {
    const { name, at, values, places } = shortcut;
    const given: [string, unknown, Position][] = [];
    for (const [option, value] of Object.entries(values)) {
      const isValue = option === "value";
      const argument = isValue ? keyArg : args[option];
      const where = places[option] ?? at;
      if (argument !== undefined) given.push([String(argument).replace(/[()]/g, ""), value, where]);
      else if (isValue) this.#problems.warn(`"(${name})" takes no value behind it: it has no effect.`, where);
      else this.#problems.error(unknownOption(option, name, Object.keys(args)), where);
    }
    const data: Args = Object.fromEntries(given.map(([argument, value]) => [argument, value]));
    const dataAt = Object.fromEntries(given.map(([argument, , where]) => [argument, where]));
    return {
      job: job.name,
      at,
      args: { ...data, ...shortcut.args },
      argsAt: { ...dataAt, ...shortcut.argsAt },
    };
  }
}

function unknown(name: string, defined: ReadonlyMap<string, Target>): string {
  const near = nearest(name, [...Object.keys(SHORTCUTS), ...Object.keys(REFUSED), ...defined.keys()]);
  const hint = near === undefined ? "" : ` Did you mean "${writtenKey(near, false)}"?`;
  return `"(${name})" is no shortcut: neither of OpenAF nor of a job of this file.${hint}`;
}

function unknownOption(option: string, name: string, known: readonly string[]): string {
  const near = nearest(option, known);
  const hint = near === undefined ? "" : ` Did you mean "${writtenKey(near, true)}"?`;
  return `the shortcut "(${name})" has no option "${writtenKey(option, true)}".${hint}`;
}
