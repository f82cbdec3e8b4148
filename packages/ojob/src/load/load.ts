import { JobFileError, type Position, Problems } from "../problem.js";
import { readSource, type SourceFile } from "../source.js";
import { check } from "./check.js";
import { Collected } from "./collected.js";
import { findInclude, identity } from "./include.js";
import type { JobFile } from "./jobfile.js";
import { child, itemsOf, type Node, textOf } from "./node.js";
import { parseYaml } from "./parse.js";
import { jobFileShape } from "./schema.js";

/** A job file to be planned, and what is wrong with it. */
export interface Loaded {
  readonly file: JobFile;
  readonly problems: Problems;
}

/**
 * Reads a job file and all that it includes, and checks every key and value that can be checked without running it. What is
 * wrong is left out and told in `problems`, so that a plan can find what else is: nothing may be run if there are errors.
 * With `strict`, warnings are errors.
 *
 * @throws JobFileError when the file cannot be read, or is no YAML
 */
export function loadJobFile(name: string, strict = false): Loaded {
  const source = readSource(name);
  const problems = new Problems(strict);
  const loader = new Loader(problems);
  loader.load(source, "all", parseYaml(source, problems));
  const { collected, included } = loader;
  if (collected.todo.length === 0 && problems.errors.length === 0) {
    problems.error(`${name} has no "todo": nothing would run.`, startOf(source));
  }
  return { file: collected.jobFile(source, included), problems };
}

/** What is used of an included file: all of it, or only its jobs and what they require. */
type Use = "all" | "jobs";

/** The names of files by which a job is looked for: those that a file leads to, itself among them. */
type Files = ReadonlySet<string>;

class Loader {
  readonly collected: Collected;
  readonly #included = new Map<string, SourceFile>();
  readonly #problems: Problems;
  /** The files on the way from the first one to the one being read, to see a circle. */
  readonly #path: SourceFile[] = [];
  readonly #done = new Map<string, { readonly use: Use; readonly files: Files }>();

  constructor(problems: Problems) {
    this.#problems = problems;
    this.collected = new Collected(problems);
  }

  /** The files that were included. */
  get included(): SourceFile[] {
    return [...this.#included.values()];
  }

  /** Takes over one file after those that it includes: its own jobs replace theirs, its todo comes after theirs. */
  load(source: SourceFile, use: Use, root: Node | undefined): Files {
    const files = new Set([source.path]);
    if (root === undefined) {
      this.#done.set(identity(source), { use, files });
      this.#problems.error(`${source.name} is empty.`, startOf(source));
      return files;
    }
    const checked = check(root, jobFileShape, source.name, this.#problems);
    if (checked.kind !== "map") this.collected.complete = false;
    this.#path.push(source);
    for (const [key, of] of [["include", use] as const, ["jobsInclude", "jobs"] as const]) {
      for (const item of itemsOf(child(checked, key))) {
        for (const file of this.#include(item, of)) files.add(file);
      }
    }
    this.#path.pop();
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
    // Read for its jobs alone it is read again for the rest.
    if (done !== undefined && (done.use === "all" || use === "jobs")) return done.files;
    if ("jobs" in found) {
      this.collected.addBuiltin(found.jobs);
      this.#included.set(source.path, source);
      return this.#finish(source, use);
    }
    return this.#isCircle(source, item.at) ? new Set() : this.#parse(source, use);
  }

  #parse(source: SourceFile, use: Use): Files {
    this.#included.set(source.path, source);
    try {
      return this.load(source, use, parseYaml(source, this.#problems));
    } catch (error) {
      if (!(error instanceof JobFileError)) throw error;
      // The other files have problems of their own: one look shows them all.
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

  #isCircle(source: SourceFile, at: Position): boolean {
    const start = this.#path.findIndex((file) => identity(file) === identity(source));
    if (start < 0) return false;
    const circle = [...this.#path.slice(start), source].map((file) => file.name).join(" → ");
    this.#problems.error(`these files include each other in a circle: ${circle}.`, at);
    return true;
  }
}

function startOf(source: SourceFile): Position {
  return { source, line: 1, column: 1 };
}
