import { nearest } from "@ojm/core/internal";
import type { ShortcutDefinition } from "../shortcuts/definition.js";
import { type ShortcutKey, splitEntries, stepOptions, writtenKey } from "../shortcuts/syntax.js";
import { REFUSED, refusal, SHORTCUTS, shortcutNamed } from "../shortcuts/table.js";
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
import type { Shape } from "./shape.js";
import { isEmpty, type MapEntry, type MapNode, type Node, nothing, shorten } from "./yaml/node.js";

type Check = (node: Node, shape: Shape, name: string, problems: Problems) => Node;

type Entry = MapEntry & ShortcutKey;

/** Checks a shortcut, and returns it with keys as `(if)` and `((then))`, or empty if a part is wrong. */
export function checkShortcut(node: MapNode, argsShape: Shape, problems: Problems, check: Check): Node {
  const before = problems.errors.length;
  const { shortcuts, others } = splitEntries(node);
  const [first, second] = shortcuts.filter(({ option }) => !option);
  const options = shortcuts.filter(({ option }) => option);
  if (first === undefined) {
    const [option] = options;
    problems.error(`"${option?.key}" is an option, and its shortcut is missing beside it.`, option?.keyAt ?? node.at);
  } else if (second !== undefined) {
    problems.error(`"${second.key}" stands beside "${first.key}": write it as an item of its own.`, second.keyAt);
  } else if (refusal(first.name) !== undefined) {
    problems.error(refusal(first.name) ?? "", first.keyAt);
  }
  if (first === undefined || problems.errors.length > before) return nothing(node.at);
  const shape = shortcutNamed(first.name);
  const name = writtenKey(first.name, false);
  if (shape?.value.required && isEmpty(first.value)) {
    problems.error(missing(node, name, "value"), first.keyAt);
  }
  const value = shape === undefined ? first.value : check(first.value, shape.value, `"${name}"`, problems);
  const entries = [
    { key: name, keyAt: first.keyAt, value },
    ...options.flatMap((option) => checkOption(option, name, shape, problems, check)),
    ...others.flatMap((entry) => checkOther(entry, name, argsShape, problems, check)),
  ];
  for (const [option, { required }] of Object.entries(shape?.options ?? {})) {
    const written = options.find((one) => one.name === option);
    if (!required || (written !== undefined && !isEmpty(written.value))) continue;
    problems.error(missing(node, name, option), first.keyAt);
  }
  return problems.errors.length > before ? nothing(node.at) : { ...node, entries };
}

/** The missing part of a shortcut: an option, or its `value`. */
function missing({ job }: MapNode, name: string, option: string): string {
  const [argument] = Object.entries(job?.args ?? {}).find(([, one]) => one === option) ?? [];
  if (job !== undefined && argument !== undefined) return `"${job.name}" needs "${argument}" among its args.`;
  return `the shortcut "${name}" needs ${option === "value" ? "a value" : `"${writtenKey(option, true)}"`}.`;
}

function checkOption(
  option: Entry,
  name: string,
  shape: ShortcutDefinition | undefined,
  problems: Problems,
  check: Check,
): MapEntry[] {
  const key = writtenKey(option.name, true);
  const entry = { key, keyAt: option.keyAt };
  if (shape === undefined) return [{ ...entry, value: option.value }];
  const known = Object.hasOwn(shape.options, option.name) ? shape.options[option.name] : undefined;
  if (known !== undefined) return [{ ...entry, value: check(option.value, known, `"${key}"`, problems) }];
  const instead =
    shape.refused !== undefined && Object.hasOwn(shape.refused, option.name) && shape.refused[option.name];
  const why = instead
    ? `"${key}" of "${name}" is not supported here: ${instead}.`
    : `the shortcut "${name}" has no option "${shorten(key)}".${optionHint(option.name, shape)}`;
  problems.error(why, option.keyAt);
  return [];
}

function optionHint(name: string, { options }: ShortcutDefinition): string {
  const known = Object.keys(options);
  const near = nearest(name, known);
  if (near !== undefined) return ` Did you mean "${writtenKey(near, true)}"?`;
  return known.length === 0 ? " It has none." : ` It has ${known.map((one) => writtenKey(one, true)).join(", ")}.`;
}

function checkOther(entry: MapEntry, name: string, argsShape: Shape, problems: Problems, check: Check): MapEntry[] {
  const { key, keyAt, value } = entry;
  if (key === "args") {
    const checked = check(value, argsShape, '"args"', problems);
    return isEmpty(checked) ? [] : [{ ...entry, value: checked }];
  }
  if (key === "when") problems.error(`a shortcut has no "when": put "${name}" under (if), in ((then)).`, keyAt);
  else if (Object.hasOwn(stepOptions, key)) {
    const instead = `put "${name}" under "from" of a job, and name that job as the step, with "${key}".`;
    problems.error(`a shortcut has no "${key}": ${instead}`, keyAt);
  } else problems.warn(`unknown key "${shorten(key)}" in the shortcut "${name}": it has no effect.`, keyAt);
  return [];
}

interface Target {
  readonly job: JobDefinition;
  readonly shortcut: CustomShortcut;
}

/** Replaces the shortcuts that jobs define by `typeArgs.shortcut` with those jobs. */
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
    if (shortcutNamed(name) !== undefined || Object.hasOwn(REFUSED, name)) {
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
    if (shortcutNamed(shortcut.name) !== undefined) {
      const lists = Object.entries(shortcut.lists).map(([name, list]) => [name, this.steps(list)] as const);
      return [{ shortcut: { ...shortcut, lists: Object.fromEntries(lists) } }];
    }
    const target = this.#defined.get(shortcut.name);
    if (target !== undefined) return [this.#jobOf(shortcut, target)];
    // A file that could not be read may define it.
    if (this.#complete) this.#problems.error(unknown(shortcut.name, this.#defined), shortcut.at);
    return [];
  }

  /** The job that defines a shortcut, with the arguments that the shortcut gives to it. */
  #jobOf(shortcut: Shortcut, { job, shortcut: { keyArg, args = {} } }: Target): StepJob {
    const { name, at, values, places } = shortcut;
    const given: [string, unknown, Position][] = [];
    for (const [option, value] of Object.entries(values)) {
      const isValue = option === "value";
      const argument = isValue ? keyArg : args[option];
      const where = places[option] ?? at;
      if (argument !== undefined) given.push([String(argument).replace(/[()]/g, ""), value, where]);
      else if (isValue) this.#problems.warn(`"(${name})" takes no value: this one has no effect.`, where);
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
  return `"(${name})" is not a shortcut: neither of OpenAF nor of a job of this file.${hint}`;
}

function unknownOption(option: string, name: string, known: readonly string[]): string {
  const near = nearest(option, known);
  const hint = near === undefined ? "" : ` Did you mean "${writtenKey(near, true)}"?`;
  return `the shortcut "(${name})" has no option "${writtenKey(option, true)}".${hint}`;
}
