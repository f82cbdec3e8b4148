import { Problems } from "../problem.js";
import { readSource, type SourceFile } from "../source.js";
import { check } from "./check.js";
import { findInclude } from "./include.js";
import type { CodeBlock, JobDefinition, JobFile, Settings, TodoEntry } from "./jobfile.js";
import { child, itemsOf, type Node, toMap, toValue } from "./node.js";
import { parseYaml } from "./parse.js";
import { readJob, readTodoEntry, textOf } from "./read.js";
import { jobFileShape } from "./schema.js";
import { readModules, readSettings } from "./settings.js";

/** A job file that can be planned, and the warnings about it. */
export interface Loaded {
  readonly file: JobFile;
  readonly problems: Problems;
}

/**
 * Reads a job file and all that it includes, and checks every key and value that can be checked without running it.
 *
 * @throws JobFileError with every problem at once.
 */
export function loadJobFile(name: string): Loaded {
  const source = readSource(name);
  const problems = new Problems();
  const loader = new Loader(problems);
  loader.load(source);
  if (loader.todo.length === 0 && problems.errors.length === 0) {
    problems.error(`${name} has no "todo": nothing would run.`);
  }
  problems.throwErrors();
  const { jobs, todo, settings, init, code, help } = loader;
  return { file: { source, jobs, todo, settings, init, code, help }, problems };
}

class Loader {
  readonly jobs = new Map<string, JobDefinition>();
  readonly todo: TodoEntry[] = [];
  settings: Settings = {};
  init: unknown;
  readonly code = new Map<string, CodeBlock>();
  help: unknown;
  readonly #problems: Problems;
  /** The files on the way from the first one to the one being read, to see a cycle. */
  readonly #path: SourceFile[] = [];
  readonly #done = new Set<string>();

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** Reads one file after those that it includes: its own jobs replace theirs, its todo comes after theirs. */
  load(source: SourceFile): void {
    const root = parseYaml(source, this.#problems);
    if (root === undefined) {
      this.#problems.error(`${source.name} is empty.`);
      return;
    }
    check(root, jobFileShape, source.name, this.#problems);
    if (root.kind !== "map") return;
    this.#path.push(source);
    for (const item of itemsOf(child(root, "include"))) this.#include(item);
    this.#path.pop();
    this.#done.add(source.path);
    this.#readJobs(root);
    for (const item of itemsOf(child(root, "todo"))) this.#readTodo(item);
    this.#readSections(root);
  }

  #include(item: Node): void {
    const name = textOf(item);
    if (name === undefined) return;
    const included = findInclude(name, item.at, this.#problems);
    if (included === undefined) return;
    if ("jobs" in included) {
      for (const job of included.jobs) this.jobs.set(job.name, job);
      return;
    }
    const { source } = included;
    const start = this.#path.findIndex((file) => file.path === source.path);
    if (start >= 0) {
      const circle = [...this.#path.slice(start), source].map((file) => file.name).join(" → ");
      this.#problems.error(`these files include each other in a circle: ${circle}.`, item.at);
    } else if (!this.#done.has(source.path)) {
      this.load(source);
    }
  }

  #readJobs(root: Node): void {
    const own = new Set<string>();
    for (const node of itemsOf(child(root, "jobs"))) {
      const job = readJob(node);
      if (job === undefined) continue;
      if (own.has(job.name))
        this.#problems.warn(`there is another job "${job.name}" above: this one replaces it.`, job.at);
      if (this.jobs.get(job.name)?.builtin) {
        this.#problems.warn(`this job replaces "${job.name}", which comes with ojm.`, job.at);
      }
      own.add(job.name);
      this.jobs.set(job.name, job);
    }
  }

  /** What a file says of itself goes before what the files say that it includes. */
  #readSections(root: Node): void {
    this.settings = { ...this.settings, ...readSettings(child(root, "ojob")) };
    for (const [name, block] of readModules(child(root, "code"))) this.code.set(name, block);
    const init = child(root, "init");
    if (init !== undefined)
      this.init = init.kind === "map" ? { ...(this.init as object | undefined), ...toMap(init) } : toValue(init);
    const help = child(root, "help");
    if (help !== undefined) this.help = toValue(help);
  }

  #readTodo(item: Node): void {
    const entry = readTodoEntry(item, this.#problems);
    if (entry !== undefined) this.todo.push(entry);
  }
}
