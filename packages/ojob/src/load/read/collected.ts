import { type Problems, place } from "../../text/problem.js";
import type { SourceFile } from "../../text/source-file.js";
import type { CodeBlock, Help, JobDefinition, JobFile, Settings, TodoEntry } from "../job-file.js";
import { child, itemsOf, type Node, toMap, toValue } from "../yaml/node.js";
import { readHelp } from "./read-help.js";
import { readJob, readTodoEntry } from "./read-job.js";
import { mergeSettings, readModules, readSettings } from "./read-settings.js";

/**
 * Merges the files of a job file: the included files first, the file itself last.
 */
export class Collected {
  readonly jobs: Map<string, JobDefinition> = new Map();
  readonly todo: TodoEntry[] = [];
  /** Whether no job was lost. An unknown name may belong to a lost job. */
  complete: boolean = true;
  #settings: Settings = {};
  #init: unknown;
  #help: Help | undefined;
  readonly #code = new Map<string, CodeBlock>();
  readonly #problems: Problems;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** The result. */
  jobFile(source: SourceFile, included: readonly SourceFile[]): JobFile {
    const { jobs, todo, complete } = this;
    const settings = this.#settings;
    return { source, included, complete, jobs, todo, settings, init: this.#init, code: this.#code, help: this.#help };
  }

  /** Jobs that come with ojm. */
  addBuiltin(jobs: readonly JobDefinition[]): void {
    for (const job of jobs) this.jobs.set(job.name, job);
  }

  /**
   * Adds the jobs of a file, from its checked node, and the modules that they require. `written` is how many
   * jobs the file has. `files` are the files that it includes, whose jobs it may replace.
   */
  addJobs(root: Node, written: number, files: ReadonlySet<string>): void {
    const jobs = itemsOf(child(root, "jobs")).flatMap((node) => readJob(node) ?? []);
    if (jobs.length < written) this.complete = false;
    const own = new Set<string>();
    for (const job of jobs) {
      this.#warnOfOther(job, own, files);
      own.add(job.name);
      this.jobs.set(job.name, job);
    }
    for (const [name, block] of readModules(child(root, "code"))) this.#code.set(name, block);
  }

  /** Adds the todo, settings, `init` and help of a file, from its checked node. */
  addRest(root: Node): void {
    this.todo.push(...itemsOf(child(root, "todo")).flatMap((item) => readTodoEntry(item) ?? []));
    this.#settings = mergeSettings(this.#settings, readSettings(child(root, "ojob")));
    const init = child(root, "init");
    if (init?.kind === "map") this.#init = { ...(this.#init as object | undefined), ...toMap(init) };
    else if (init !== undefined) this.#init = toValue(init);
    this.#help = readHelp(child(root, "help")) ?? this.#help;
  }

  #warnOfOther(job: JobDefinition, own: ReadonlySet<string>, files: ReadonlySet<string>): void {
    const other = this.jobs.get(job.name);
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
