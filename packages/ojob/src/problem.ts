import type { SourceFile } from "./source.js";

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
  const line = at.source.line(at.line);
  if (line === undefined || line.trim() === "") return "";
  // A minified line of thousands of characters would bury the message: show the part around the column.
  const start = at.column > 100 ? at.column - 60 : 0;
  const shown = line.slice(start, start + 140);
  const number = String(at.line).padStart(5);
  // Tabs are kept in the padding, so that the caret stands right under the column however wide a tab is shown.
  const padding = shown.slice(0, Math.max(0, at.column - 1 - start)).replace(/[^\t]/g, " ");
  return `${number} | ${printable(shown)}\n${" ".repeat(5)} | ${padding}^`;
}

/** Control characters of a damaged file must not reach the terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\uFFFD");
}

/** `jobs.yaml:12:5`, for humans and for editors that jump to it. */
export function place(at: Position): string {
  return `${at.source.name}:${at.line}:${at.column}`;
}

/** A problem as it is shown: place, severity, message, and the line with a caret. */
export function describe(problem: Problem): string {
  if (problem.at === undefined) return `${problem.severity}: ${problem.message}`;
  const lines = [`${place(problem.at)}: ${problem.severity}: ${problem.message}`, excerpt(problem.at)];
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

/** Collects what is wrong while a file is read, so that one look shows all of it. */
export class Problems {
  readonly list: Problem[] = [];

  error(message: string, at?: Position): void {
    this.list.push({ severity: "error", message, ...(at && { at }) });
  }

  warn(message: string, at?: Position): void {
    this.list.push({ severity: "warning", message, ...(at && { at }) });
  }

  get errors(): Problem[] {
    return this.list.filter((problem) => problem.severity === "error");
  }

  get warnings(): Problem[] {
    return this.list.filter((problem) => problem.severity === "warning");
  }

  /** @throws JobFileError if there are errors. */
  throwErrors(): void {
    const errors = this.errors;
    if (errors.length > 0) throw new JobFileError(errors);
  }
}
