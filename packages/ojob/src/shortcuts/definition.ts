import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Engine, Execution } from "../execute/engine.js";
import type { Args, CodeBlock, JobFile, Shortcut, StepReference } from "../load/job-file.js";
import type { Fields, Shape } from "../load/shape.js";
import { LOCK_ARGS } from "../plan/args.js";
import { isTyped } from "../plan/manager/channels.js";
import { JOB_START } from "../plan/manager/manager-args.js";
import { clone, merge } from "../script/worker/functions/values.js";
import { saidPath } from "../text/files.js";
import type { Problems } from "../text/problem.js";
import { shownArgs } from "../text/secrets.js";
import { isMap, withValue } from "../text/template.js";
import { readPath, Templates } from "./values.js";

/** A shortcut of OpenAF: its values, its checks before the start, and its action. */
export interface ShortcutDefinition {
  readonly doc: string;
  readonly value: Shape;
  readonly options: Fields;
  /** Options of OpenAF that are rejected, and what to write instead. */
  readonly refused?: Readonly<Record<string, string>>;
  /**
   * The jobs of OpenAF's ojob.yaml that do the same, in lower case and without their prefix, with their
   * arguments: `__key=value` is the value of the shortcut. Of two arguments for one option, the first one
   * wins.
   */
  readonly jobs?: Readonly<Record<string, string>>;
  /** Its value as a whole is a template of Handlebars, as in OpenAF. */
  readonly isTemplate?: true;
  /** The code of its value. `undefined` if a template decides the code. */
  readonly code?: (block: CodeBlock) => CodeBlock | undefined;
  /** Finds values that are wrong for any arguments. */
  readonly check?: (shortcut: Shortcut, complain: Complain, context: CheckContext) => void;
  /** Runs it, and resolves to the arguments for the next step. */
  readonly run: (run: ShortcutRun) => Promise<Args> | Args;
}

export type Shortcuts = Readonly<Record<string, ShortcutDefinition>>;

/** Reports a problem of an option, or of the value of the shortcut itself. */
export type Complain = (message: string, option?: string) => void;

/** The owner of the checked shortcut. */
export interface CheckContext {
  readonly owner: string;
  readonly file: JobFile;
  readonly problems: Problems;
}

/** Whether a value has a template or a variable, and is therefore known only when the shortcut runs. */
export function isTemplate(value: unknown): boolean {
  return typeof value === "string" && /\{\{|\$\{/.test(value);
}

function numberOf(value: unknown): number {
  return typeof value === "string" && value.trim() === "" ? Number.NaN : Number(value);
}

/** Expects a number, unless a template decides it. */
export function expectNumber(value: unknown, what: string, complain: Complain): void {
  if (isTemplate(value) || Number.isFinite(numberOf(value))) return;
  complain(`this must be ${what}, not ${JSON.stringify(value)}`);
}

/** Expects one of these words as an option, in any letter case, unless a template decides it. */
export function expectWord(value: unknown, words: readonly string[], option: string, complain: Complain): void {
  if (value === undefined || isTemplate(value) || words.includes(String(value).toLowerCase())) return;
  complain(`"((${option}))" must be one of ${words.join(", ")}, not ${JSON.stringify(value)}`, option);
}

/** The key under which OpenAF stores values without a name. */
export const RESULT = "res";

/** The key that means the arguments, and not a value of $set. */
const ARGS = "args";

/** One run of a shortcut: its values, with their templates filled, and what they work on. */
export class ShortcutRun {
  readonly shortcut: Shortcut;
  readonly args: Args;
  readonly execution: Execution;
  readonly engine: Engine;
  readonly templates: Templates;

  constructor(shortcut: Shortcut, args: Args, execution: Execution) {
    this.shortcut = shortcut;
    this.args = args;
    this.execution = execution;
    this.engine = execution.engine;
    this.templates = this.templatesFor(args);
  }

  /** Fills templates from other arguments. */
  templatesFor(args: Args): Templates {
    return templatesOf(args, this.execution);
  }

  /** The shortcut as messages name it. */
  get name(): string {
    return `(${this.shortcut.name})`;
  }

  /** The value of an option, or of the shortcut itself. */
  value(option = "value"): unknown {
    const written = this.shortcut.values[option];
    return written === undefined ? this.#late(option) : this.templates.fill(written, option);
  }

  /** The argument that is an option of a job of OpenAF. Its value is data: templates in it are not filled. */
  #late(option: string): unknown {
    const names = Object.entries(this.shortcut.late ?? {}).filter(([, one]) => one === option);
    const name = names.map(([argument]) => argument).find((argument) => this.args[argument] !== undefined);
    return name === undefined ? undefined : this.args[name];
  }

  text(option = "value"): string | undefined {
    const value = this.value(option);
    return value === undefined || value === null ? undefined : String(value);
  }

  /** The same as the key of a value of $set. */
  key(option = "value"): string {
    return this.text(option) ?? RESULT;
  }

  /** The value of the shortcut as it is written. */
  written(): string {
    return this.shortcut.blocks["value"]?.code ?? "";
  }

  /** A script of ojm itself, for which errors name the place of the shortcut. */
  script(code: string): CodeBlock {
    const { source, line, column } = this.shortcut.at;
    return { code, source, line, indent: column - 1, exact: false };
  }

  number(what: string): number {
    const value = this.value();
    const number = numberOf(value);
    if (Number.isFinite(number) && number >= 0) return number;
    throw new Error(`${this.name} takes ${what}, not ${JSON.stringify(value) ?? "nothing"}`);
  }

  flag(option: string, otherwise = false): boolean {
    const value = this.shortcut.values[option] ?? this.#late(option);
    return typeof value === "boolean" ? value : otherwise;
  }

  line(message: string): void {
    this.execution.output.line("INFO", message);
  }

  /** Logs the data of the shortcut, if the file requests that. */
  debug(message: () => string): void {
    if (this.flag("debug")) this.line(message());
  }

  /** Arguments, or other data, as a log may show them. */
  shown(data: unknown): string {
    return shownArgs(data, this.execution.job.secrets, (text) => this.engine.log.mask(text));
  }

  list(option = "value"): readonly StepReference[] {
    return Object.hasOwn(this.shortcut.lists, option) ? (this.shortcut.lists[option] ?? []) : [];
  }

  /** The absolute path of a file. It begins at the folder of the job file, or where the user typed it. */
  path(option = "value"): string | undefined {
    const text = this.text(option);
    if (text === undefined) return undefined;
    const typed = isTyped(text, this.shortcut.values[option], this.engine.typed);
    return typed ? resolve(text) : saidPath(text, this.shortcut.at);
  }

  async dataOf(path: string): Promise<unknown> {
    const text = await readFile(path, "utf8");
    if (/\.json$/i.test(path)) return JSON.parse(text) as unknown;
    return (await import("../load/yaml/yaml.js")).fromYaml(text);
  }

  /** The value of $get under a key, or the arguments, at a path. */
  read(key: string, path?: string): unknown {
    return readPath(key === ARGS ? this.args : this.engine.runtime.values.get(key), path);
  }

  keep(key: string, value: unknown): void {
    this.engine.runtime.values.set(key, clone(value));
  }

  /** Puts a value where a key and a path say, and returns the arguments. */
  put(key: string, path: string | undefined, value: unknown): Args {
    if (key === ARGS) return path === undefined ? this.withData(value) : withValue(this.args, path, value);
    this.keep(key, path === undefined ? value : withValue(this.read(key), path, value));
    return this.args;
  }

  /** The arguments merged with data, which never decides the name of a lock that the job takes. */
  withData(data: unknown): Args {
    if (data === undefined || data === null) return this.args;
    if (!isMap(data)) {
      const kind = Array.isArray(data) ? "list" : typeof data;
      throw new Error(`${this.name} adds a map to the arguments, and this is none: a ${kind}`);
    }
    const refused = LOCK_ARGS.filter((name) => this.#isOfLock(name, data));
    for (const name of refused) {
      const message = `${this.name} cannot set "${name}": a job with a lock does not take this argument from data. Write it under (pass).`;
      this.execution.output.line("WARN", message);
    }
    const allowed = Object.fromEntries(Object.entries(data).filter(([name]) => !refused.includes(name)));
    return merge(this.args, allowed) as Args;
  }

  #isOfLock(name: string, data: Args): boolean {
    if (!Object.hasOwn(data, name) || data[name] === this.args[name]) return false;
    const { job } = this.execution;
    const seen = new Set<string>();
    const takesLock = (steps: typeof job.steps): boolean =>
      steps.some((step) => {
        if (!("job" in step) || seen.has(step.job)) return false;
        seen.add(step.job);
        return step.job === JOB_START || takesLock(this.engine.job(step.job).steps);
      });
    return takesLock(job.steps);
  }
}

export function templatesOf(args: Args, { engine, job, place }: Execution): Templates {
  const missing = (option: string, written: string): void => engine.warnMissing(job.name, option, written);
  return new Templates(args, engine.runtime.values, place.environment.all, missing);
}
