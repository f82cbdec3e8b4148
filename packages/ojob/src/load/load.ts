import { ojmCommand, optionWord } from "@ojm/core/internal";
import { JobFileError, type Position, Problems } from "../text/problem.js";
import { readSource } from "../text/read-source.js";
import type { SourceFile } from "../text/source-file.js";
import { check } from "./check/check.js";
import { jobFileShape } from "./check/schema.js";
import { findInclude, identity } from "./include.js";
import type { JobFile } from "./job-file.js";
import { Collected } from "./read/collected.js";
import { withShortcuts } from "./shortcuts/openaf-jobs.js";
import { resolveShortcuts } from "./shortcuts/resolve-custom.js";
import { child, itemsOf, type Node, textOf } from "./yaml/node.js";
import { parseYaml } from "./yaml/parse.js";

/** A loaded job file, and its problems so far. */
export interface Loaded {
  readonly file: JobFile;
  readonly problems: Problems;
}

/** How a job file is loaded. */
export interface LoadOptions {
  /** Take warnings for errors. */
  readonly strict?: boolean | undefined;
  /** The file may be a library: jobs without a todo. */
  readonly withoutTodo?: boolean;
}

/**
 * Reads a job file and all files that it includes, and checks every key and value that can be checked without
 * running it. Wrong parts are left out and reported in `problems`, so that a plan can find further problems.
 * With errors, nothing may be run.
 *
 * @throws JobFileError when the file cannot be read, or is no YAML
 */
export function loadJobFile(name: string, { strict = false, withoutTodo = false }: LoadOptions = {}): Loaded {
  const source = readSource(name);
  const problems = new Problems(strict);
  const loader = new Loader(problems);
  loader.load(source, "all", parseYaml(source, problems));
  const { collected, included } = loader;
  if (!withoutTodo && collected.todo.length === 0 && problems.errors.length === 0) {
    problems.error(nothingToRun(name, collected), startOf(source));
  }
  return { file: resolveShortcuts(collected.jobFile(source, included), problems), problems };
}

/** Which part of an included file is used: all of it, or only its jobs and what they require. */
type Use = "all" | "jobs";

/** The paths of the files that a file leads to, including its own. */
type Files = ReadonlySet<string>;

class Loader {
  readonly collected: Collected;
  readonly #included = new Map<string, SourceFile>();
  readonly #problems: Problems;
  /** The files between the first one and the one being read. They show a cycle. */
  readonly #path: SourceFile[] = [];
  /** The names of the jobs of all files so far. */
  readonly #names = new Set<string>();
  readonly #done = new Map<string, { readonly use: Use; readonly files: Files }>();

  constructor(problems: Problems) {
    this.#problems = problems;
    this.collected = new Collected(problems);
  }

  /** The files that were included. */
  get included(): SourceFile[] {
    return [...this.#included.values()];
  }

  /**
   * Adds one file after the files that it includes: its jobs replace theirs, and its todo comes after theirs.
   */
  load(source: SourceFile, use: Use, root: Node | undefined): Files {
    const files = new Set([source.path]);
    this.#problems.reads(source);
    if (root === undefined) {
      this.#done.set(identity(source), { use, files });
      this.#problems.error(`${source.name} is empty.`, startOf(source));
      return files;
    }
    for (const job of itemsOf(child(root, "jobs"))) this.#names.add(textOf(child(job, "name")) ?? "");
    this.#path.push(source);
    for (const [key, of] of [["include", use] as const, ["jobsInclude", "jobs"] as const]) {
      for (const item of itemsOf(child(root, key)).filter((one) => textOf(one) !== undefined)) {
        for (const file of this.#include(item, of)) files.add(file);
      }
    }
    this.#path.pop();
    const checked = check(withShortcuts(root, this.#names), jobFileShape, source.name, this.#problems);
    if (checked.kind !== "map") this.collected.complete = false;
    this.#done.set(identity(source), { use, files });
    this.collected.addJobs(checked, itemsOf(child(root, "jobs")).length, files);
    if (use === "all") this.collected.addRest(checked);
    return files;
  }

  #include(item: Node, use: Use): Files {
    const found = findInclude(textOf(item) ?? "", item.at, this.#problems);
    if (found === undefined) {
      this.collected.complete = false;
      return new Set();
    }
    const { source } = found;
    const done = this.#done.get(identity(source));
    // A file that was read only for its jobs is read again for the rest.
    if (done !== undefined && (done.use === "all" || use === "jobs")) return done.files;
    if ("jobs" in found) {
      this.collected.addBuiltin(found.jobs);
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
      // Go on: the other files have problems of their own, and one look should show all of them.
      for (const { message, at } of error.problems) this.#problems.error(message, at);
      this.collected.complete = false;
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
}

/** What to do with a file that has no todo. With jobs it is a library. */
function nothingToRun(name: string, { jobs }: Collected): string {
  const [job] = [...jobs.values()].filter(({ builtin }) => builtin === undefined);
  const what = `${name} has no "todo": nothing would run.`;
  if (job === undefined) return what;
  return `${what} It is a library of jobs: include it in another file, add a "todo", or run one of its jobs: ${ojmCommand("run", name, optionWord("--job", job.name))}`;
}

function startOf(source: SourceFile): Position {
  return { source, line: 1, column: 1 };
}
