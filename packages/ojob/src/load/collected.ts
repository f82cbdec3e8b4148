import { type Problems, place } from "../problem.js";
import type { SourceFile } from "../source.js";
import { readHelp } from "./help.js";
import type { CodeBlock, Help, JobDefinition, JobFile, Settings, TodoEntry } from "./jobfile.js";
import { child, itemsOf, type Node, toMap, toValue } from "./node.js";
import { readJob, readTodoEntry } from "./read.js";
import { readModules, readSettings } from "./settings.js";

/** What the files hold that make up a job file, one put over the other: the included first, the file itself last. */
export class Collected {
  readonly jobs: Map<string, JobDefinition> = new Map();
  readonly todo: TodoEntry[] = [];
  /** Whether no job was lost: a name that is not known may be that of one which is. */
  complete: boolean = true;
  #settings: Settings = {};
  #init: unknown;
  #help: Help | undefined;
  readonly #code = new Map<string, CodeBlock>();
  readonly #problems: Problems;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** The whole. */
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
   * The jobs of a file, out of its checked node, and the modules that they require. `written` is how many there are in the
   * file; `files` are those whose jobs it may replace, for it includes them.
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

  /** The todo, settings, `init` and help of a file, out of its checked node. */
  addRest(root: Node): void {
    this.todo.push(...itemsOf(child(root, "todo")).flatMap((item) => readTodoEntry(item) ?? []));
    this.#settings = { ...this.#settings, ...readSettings(child(root, "ojob")) };
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
