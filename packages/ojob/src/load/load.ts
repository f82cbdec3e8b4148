import { existsSync, realpathSync } from "node:fs";
import { relative } from "node:path";
import { ojmCommand, optionWord } from "@ojm/core/internal";
import { misplaced, misplacedNote, missingFile, readSource, saidPath } from "../text/files.js";
import { didYouMean, JobFileError, type Position, Problems, place, type SourceFile } from "../text/problem.js";
import { type BuiltinFile, builtinFile, builtinFiles, builtinSource } from "./builtin.js";
import { check } from "./check.js";
import type { CodeBlock, Help, JobDefinition, JobFile, Settings, TodoEntry } from "./job-file.js";
import { withShortcuts } from "./openaf-jobs.js";
import { mergeSettings, readHelp, readJob, readModules, readSettings, readTodoEntry } from "./read.js";
import { jobFileShape } from "./schema.js";
import { resolveShortcuts } from "./shortcuts.js";
import { child, itemsOf, type Node, textOf, toMap, toValue } from "./yaml/node.js";
import { parseYaml } from "./yaml/parse.js";

export interface Loaded {
  readonly file: JobFile;
  readonly problems: Problems;
}

interface LoadOptions {
  readonly strict?: boolean | undefined;
  readonly withoutTodo?: boolean;
}

/**
 * Reads a job file and all files that it includes, and checks every key and value that can be checked without
 * running it. Wrong parts are left out and reported in `problems`, so that a plan can find further problems.
 * With errors, nothing may be run.
 *
 * @throws JobFileError when the file cannot be read, or is not YAML
 */
export function loadJobFile(name: string, { strict = false, withoutTodo = false }: LoadOptions = {}): Loaded {
  const source = readSource(name);
  const problems = new Problems(strict);
  const loader = new Loader(problems);
  loader.load(source, "all", parseYaml(source, problems));
  const file = loader.jobFile(source);
  if (!withoutTodo && file.todo.length === 0 && problems.errors.length === 0) {
    problems.error(nothingToRun(name, file), startOf(source));
  }
  return { file: resolveShortcuts(file, problems), problems };
}

/** Which part of an included file is used: all of it, or only its jobs and what they require. */
type Use = "all" | "jobs";

type Files = ReadonlySet<string>;

/** Reads and merges the files of a job file: the included ones first, the file itself last. */
class Loader {
  readonly #included = new Map<string, SourceFile>();
  readonly #problems: Problems;
  readonly #jobs = new Map<string, JobDefinition>();
  readonly #todo: TodoEntry[] = [];
  /** Whether all jobs could be read. An unknown name may belong to a job that could not. */
  #complete = true;
  #settings: Settings = {};
  #init: unknown;
  #help: Help | undefined;
  readonly #code = new Map<string, CodeBlock>();
  /** The files between the first one and the one being read. They show a cycle. */
  readonly #path: SourceFile[] = [];
  readonly #names = new Set<string>();
  readonly #done = new Map<string, { readonly use: Use; readonly files: Files }>();

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** What has been read, as the job file that begins with `source`. */
  jobFile(source: SourceFile): JobFile {
    this.#runAtEnd();
    return {
      source,
      included: [...this.#included.values()],
      complete: this.#complete,
      jobs: this.#jobs,
      todo: this.#todo,
      settings: this.#settings,
      init: this.#init,
      code: this.#code,
      help: this.#help,
    };
  }

  /** The jobs of `ojob.shutdown` are items of the todo that run at its end. */
  #runAtEnd(): void {
    for (const { text: job, at } of this.#settings.shutdown ?? []) {
      const definition = this.#jobs.get(job);
      if (definition?.type === "simple") this.#jobs.set(job, { ...definition, type: "shutdown" });
      else if (definition !== undefined && definition.type !== "shutdown")
        this.#problems.error(`"shutdown" names the job "${job}", whose type is ${definition.type}.`, at);
      const isListed = this.#todo.some((entry) => entry.job === job);
      if (!isListed) this.#todo.push({ job, at, args: [], argsAt: {} });
    }
  }

  /** Adds a file after those that it includes: its jobs replace theirs, its todo comes after theirs. */
  load(source: SourceFile, use: Use, root: Node | undefined): Files {
    this.#problems.reads(source);
    if (root === undefined) {
      this.#problems.error(`${source.name} is empty.`, startOf(source));
      return this.#finish(source, use);
    }
    const files = new Set([source.path]);
    for (const job of itemsOf(child(root, "jobs"))) this.#names.add(textOf(child(job, "name")) ?? "");
    this.#path.push(source);
    for (const [key, of] of [["include", use] as const, ["jobsInclude", "jobs"] as const]) {
      for (const item of itemsOf(child(root, key)).filter((one) => textOf(one) !== undefined)) {
        for (const file of this.#include(item, of)) files.add(file);
      }
    }
    this.#path.pop();
    const checked = check(withShortcuts(root, this.#names), jobFileShape, source.name, this.#problems);
    if (checked.kind !== "map") this.#complete = false;
    this.#done.set(identity(source), { use, files });
    this.#addJobs(checked, itemsOf(child(root, "jobs")).length, files);
    if (use === "all") this.#addRest(checked);
    return files;
  }

  #include(item: Node, use: Use): Files {
    const found = findInclude(textOf(item) ?? "", item.at, this.#problems);
    if (found === undefined) {
      this.#complete = false;
      return new Set();
    }
    const { source } = found;
    const done = this.#done.get(identity(source));
    // A file that was read only for its jobs is read again for the rest.
    if (done !== undefined && (done.use === "all" || use === "jobs")) return done.files;
    if ("jobs" in found) {
      for (const job of found.jobs) this.#jobs.set(job.name, job);
      this.#included.set(source.path, source);
      return this.#finish(source, use);
    }
    return this.#isCycle(source, item.at) ? new Set() : this.#parse(source, use);
  }

  #parse(source: SourceFile, use: Use): Files {
    this.#included.set(source.path, source);
    try {
      return this.load(source, use, parseYaml(source, this.#problems));
    } catch (error) {
      if (!(error instanceof JobFileError)) throw error;
      // Continue: the other files may have problems too, and one check should report all of them.
      for (const { message, at } of error.problems) this.#problems.error(message, at);
      this.#complete = false;
      return this.#finish(source, use);
    }
  }

  #finish(source: SourceFile, use: Use): Files {
    const files = new Set([source.path]);
    this.#done.set(identity(source), { use, files });
    return files;
  }

  #isCycle(source: SourceFile, at: Position): boolean {
    const start = this.#path.findIndex((file) => identity(file) === identity(source));
    if (start < 0) return false;
    const cycle = [...this.#path.slice(start), source].map((file) => file.name).join(" → ");
    this.#problems.error(`these files include each other in a cycle: ${cycle}.`, at);
    return true;
  }

  /** Adds the jobs of a file, which has `written` of them, and modules. They may replace those of `files`. */
  #addJobs(root: Node, written: number, files: ReadonlySet<string>): void {
    const jobs = itemsOf(child(root, "jobs")).flatMap((node) => readJob(node) ?? []);
    if (jobs.length < written) this.#complete = false;
    const own = new Set<string>();
    for (const job of jobs) {
      this.#warnOfOther(job, own, files);
      own.add(job.name);
      this.#jobs.set(job.name, job);
    }
    for (const [name, block] of readModules(child(root, "code"))) this.#code.set(name, block);
  }

  #addRest(root: Node): void {
    this.#todo.push(...itemsOf(child(root, "todo")).flatMap((item) => readTodoEntry(item) ?? []));
    this.#settings = mergeSettings(this.#settings, readSettings(child(root, "ojob")));
    const init = child(root, "init");
    if (init?.kind === "map") this.#init = { ...(this.#init as object | undefined), ...toMap(init) };
    else if (init !== undefined) this.#init = toValue(init);
    this.#help = readHelp(child(root, "help")) ?? this.#help;
  }

  #warnOfOther(job: JobDefinition, own: ReadonlySet<string>, files: ReadonlySet<string>): void {
    const other = this.#jobs.get(job.name);
    if (other === undefined) return;
    if (own.has(job.name)) {
      this.#problems.warn(`there is another job "${job.name}" above: this one replaces it.`, job.at);
    } else if (other.builtin !== undefined) {
      this.#problems.warn(`this job replaces "${job.name}", which comes with ojm.`, job.at);
    } else if (!files.has(other.at.source.path)) {
      this.#problems.warn(`this job replaces the one of the same name at ${place(other.at)}.`, job.at);
    }
  }
}

/** What to do with a file that has no todo. With jobs it is a library. */
function nothingToRun(name: string, { jobs }: JobFile): string {
  const [job] = [...jobs.values()].filter(({ builtin }) => builtin === undefined);
  const what = `${name} has no "todo": nothing would run.`;
  if (job === undefined) return what;
  return `${what} It is a library of jobs: include it in another file, add a "todo", or run one of its jobs: ${ojmCommand("run", name, optionWord("--job", job.name))}`;
}

function startOf(source: SourceFile): Position {
  return { source, line: 1, column: 1 };
}

type Included = BuiltinFile | { readonly source: SourceFile };

/** Finds an included file: beside the including file, else among those that come with ojm. */
function findInclude(name: string, at: Position, problems: Problems): Included | undefined {
  const path = saidPath(name, at);
  if (existsSync(path)) return readIncluded(shortest(path), at, problems);
  const source = builtinSource(name);
  const builtin = source === undefined ? builtinFile(name) : { source };
  if (builtin !== undefined) {
    const here = misplaced(name, path);
    if (here !== undefined) problems.warn(misplacedNote(here, path), at);
    return builtin;
  }
  problems.error(`${missingFile(name, at)}${hint(name)}`, at);
  return undefined;
}

/** Identifies a file, whatever path leads to it. A link to its own folder would make ever new paths. */
function identity(source: SourceFile): string {
  return existsSync(source.path) ? realpathSync(source.path) : source.path;
}

function readIncluded(name: string, at: Position, problems: Problems): Included | undefined {
  try {
    return { source: readSource(name) };
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    for (const { message } of error.problems) problems.error(message, at);
    return undefined;
  }
}

function hint(name: string): string {
  if (/^https?:|^ojob\.io\/|::/.test(name)) return " Only files can be included: fetch it, and include the copy.";
  return didYouMean(name, builtinFiles(), "");
}

function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}
