import type { Position } from "../problem.js";
import type { SourceFile } from "../source.js";

/** Arguments of a job. */
export type Args = Record<string, unknown>;

/** A script of a job file, and where it stands. */
export interface CodeBlock {
  readonly code: string;
  readonly source: SourceFile;
  /** The line of the file (from 1) that holds the first line of the code. */
  readonly line: number;
  /** How far the code is indented in the file. */
  readonly indent: number;
  /** Whether line n of the code is line n of the file: not so in folded and quoted text. */
  readonly exact: boolean;
}

/** The name of a job as it is used somewhere. */
export interface JobReference {
  readonly job: string;
  readonly at: Position;
}

/** An item of `catch`: a job's name or code; which of the two is known when all jobs are. */
export interface CatchItem {
  readonly block: CodeBlock;
  readonly at: Position;
}

/** A job as it is written. */
export interface JobDefinition {
  readonly name: string;
  readonly at: Position;
  readonly exec?: CodeBlock;
  /** One map, or several: then the script runs once for each. */
  readonly args: readonly Args[];
  /** Where the arguments stand, by name, for messages about them. */
  readonly argsAt: Readonly<Record<string, Position>>;
  readonly from: readonly JobReference[];
  readonly to: readonly JobReference[];
  readonly catch: readonly CatchItem[];
  /** Comes with ojm: a call to the job manager instead of a script. */
  readonly builtin?: string;
}

/** An item of `todo`. */
export interface TodoEntry extends JobReference {
  readonly args: readonly Args[];
  readonly argsAt: Readonly<Record<string, Position>>;
}

/** A job file with all that it includes. */
export interface JobFile {
  readonly source: SourceFile;
  readonly jobs: ReadonlyMap<string, JobDefinition>;
  readonly todo: readonly TodoEntry[];
}
