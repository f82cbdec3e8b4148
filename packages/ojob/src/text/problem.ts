import { LINES, maskUrls, nearest, visible } from "@ojm/core/internal";
import { maskLine } from "./secrets.js";

/** The text of a job file. */
export class SourceFile {
  /** The name as the user wrote it, for messages. */
  readonly name: string;
  /** The absolute path. For a built-in file, its name. */
  readonly path: string;
  readonly text: string;
  #lines: string[] | undefined;

  constructor(name: string, path: string, text: string) {
    this.name = name;
    this.path = path;
    this.text = text;
  }

  /** The line with that number (from 1), without its line break. */
  line(number: number): string | undefined {
    this.#lines ??= this.text.split(/\r\n|\n|\r/);
    return this.#lines[number - 1];
  }
}

/** A place in a text file. Lines and columns count from 1. */
export interface Position {
  readonly source: SourceFile;
  readonly line: number;
  readonly column: number;
}

/** Something that is wrong with a job file, and where. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly message: string;
  /** Absent where the file as a whole is the problem. */
  readonly at?: Position;
}

/** The line of a position with a caret under its column, as two indented lines. */
export function excerpt(at: Position): string {
  const written = at.source.line(at.line);
  if (written === undefined || written.trim() === "") return "";
  // Mask before cutting: half a URL does not look like one. Masking moves the column.
  const line = maskLine(written);
  const column = Math.min(maskLine(written.slice(0, at.column - 1)).length, line.length) + 1;
  // A minified line of thousands of characters would bury the message, so show the part around the column.
  const start = column > 100 ? column - 60 : 0;
  const shown = line.slice(start, start + 140);
  const number = String(at.line).padStart(5);
  // Keep tabs in the padding, so that the caret is under the column at any tab width.
  const padding = shown.slice(0, Math.max(0, column - 1 - start)).replace(/[^\t]/g, " ");
  return `${number} | ${visible(shown, "\t")}\n${" ".repeat(5)} | ${padding}^`;
}

/** `jobs.yaml:12:5`, for humans and for editors that jump to it. */
export function place(at: Position): string {
  return `${visible(at.source.name)}:${at.line}:${at.column}`;
}

/** The hint for a wrong name: ` Did you mean "x"?`, or nothing if no known name is near. */
export function didYouMean(name: string, known: Iterable<string>, quote = '"'): string {
  const near = nearest(name, known);
  return near === undefined ? "" : ` Did you mean ${quote}${near}${quote}?`;
}

/** A name of 100,000 characters would bury the message. */
const MAX_MESSAGE = 1_000;

/** The text of a problem: place, severity, message, and the line with a caret. */
export function describe(problem: Problem): string {
  const all = maskUrls(problem.message);
  const message = visible(all.length > MAX_MESSAGE ? `${all.slice(0, MAX_MESSAGE)}…` : all, LINES);
  if (problem.at === undefined) return `${problem.severity}: ${message}`;
  const lines = [`${place(problem.at)}: ${problem.severity}: ${message}`, excerpt(problem.at)];
  return lines.filter((line) => line !== "").join("\n");
}

/** A job file that cannot be run. Nothing of it was started. */
export class JobFileError extends Error {
  override readonly name: string = "JobFileError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(describe).join("\n"));
    this.problems = problems;
  }
}

/** Collects the problems of a file while it is read, so that one check reports all of them. */
export class Problems {
  readonly list: Problem[] = [];
  /** Masks secrets in the messages, as soon as the secrets are known. */
  hide: (text: string) => string = (text) => text;
  readonly #strict: boolean;
  /** Whether all parts of the file are known, so that the whole can be judged. */
  isWhole = true;
  readonly #known = new Set<string>();
  readonly #files = new Set<string>();

  /** With `strict`, warnings count as errors. */
  constructor(strict = false) {
    this.#strict = strict;
  }

  /** Registers a file: its problems come before those of files that are read later. */
  reads({ path }: SourceFile): void {
    this.#files.add(path);
  }

  /** Adds an error that leaves a part of the file out: later problems may be consequences of it. */
  error(message: string, at?: Position): void {
    this.isWhole = false;
    this.flaw(message, at);
  }

  flaw(message: string, at?: Position): void {
    this.#add({ severity: "error", message: this.hide(message), ...(at && { at }) });
  }

  warn(message: string, at?: Position): void {
    this.#add({ severity: "warning", message: this.hide(message), ...(at && { at }) });
  }

  /** Adds a problem once: a file that is read twice has the same problems both times. */
  #add(problem: Problem): void {
    const key = `${problem.at?.source.path}:${problem.at?.line}:${problem.at?.column} ${problem.message}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.list.push(problem);
  }

  get errors(): Problem[] {
    return this.list.filter((problem) => problem.severity === "error");
  }

  get warnings(): Problem[] {
    return this.list.filter((problem) => problem.severity === "warning");
  }

  /** Throws all problems in the order of the file if there are errors, or, if strict, warnings. */
  throwErrors(): void {
    if (this.list.length === 0 || (this.errors.length === 0 && !this.#strict)) return;
    const list = inOrder(this.list, this.#files);
    throw new JobFileError(this.#strict ? list.map((problem) => ({ ...problem, severity: "error" })) : list);
  }
}

/** By file, in the order in which they are read, and by place. Problems are found in another order. */
function inOrder(list: readonly Problem[], read: Iterable<string>): Problem[] {
  const files = [...new Set([...read, ...list.map(({ at }) => at?.source.path)])];
  return [...list].sort(
    ({ at: a }, { at: b }) =>
      files.indexOf(a?.source.path) - files.indexOf(b?.source.path) ||
      (a?.line ?? 0) - (b?.line ?? 0) ||
      (a?.column ?? 0) - (b?.column ?? 0),
  );
}
