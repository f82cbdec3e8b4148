import type { Args, CodeBlock } from "../../load/job-file.js";
import { placeOfError } from "../../script/compile.js";
import { failureText } from "../../script/failure.js";
import type { FailureData } from "../../script/protocol.js";
import { excerpt, type Position, place } from "../../text/problem.js";

export class JobError extends Error {
  override readonly name: string = "JobError";
  readonly at: Position | undefined;
  readonly code: string | undefined;
  readonly failure: FailureData;
  /** The arguments that the failed step left behind, for the steps of `catch`. */
  args: Args | undefined;
  /** Whether the job in which it happened has shown it. */
  shown = false;

  constructor(message: string, details: { at?: Position | undefined; failure?: FailureData; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.at = details.at;
    this.failure = details.failure ?? { name: this.name, message };
    this.code = this.failure.code;
  }

  describe(): string {
    if (this.at === undefined) return this.message;
    const line = excerpt(this.at);
    return `${this.message} (${place(this.at)})${line === "" ? "" : `\n${line}`}`;
  }
}

/** A job does not run or ends early. This is not a failure, and no `catch` runs. */
export class SkippedJob extends JobError {
  constructor(reason: string) {
    super(reason, { failure: { name: "SkippedJob", message: reason, code: "CANCELLED" } });
    this.shown = true;
  }
}

/** A job that does not run because its work is done, or another process does it: a caller may continue. */
export class DoneElsewhere extends SkippedJob {}

export function scriptError(failure: FailureData, block: CodeBlock): JobError {
  const at = placeOfError(failure.stack ?? "", block) ?? placeOfThrow(failure, block);
  return new JobError(failureText(failure), { at, failure });
}

/** Finds the line of a `throw "text"`, which leaves no stack, if exactly one line throws this text. */
function placeOfThrow(failure: FailureData, block: CodeBlock): Position | undefined {
  const lines = block.code.split("\n");
  const throwing = lines.flatMap((line, index) =>
    failure.name === "" && /\bthrow\b/.test(line) && line.includes(failure.message) ? [index] : [],
  );
  const [index] = throwing;
  if (throwing.length !== 1 || index === undefined || !block.exact) return undefined;
  const column = (lines[index]?.search(/\bthrow\b/) ?? 0) + block.indent + 1;
  return { source: block.source, line: block.line + index, column };
}

export function toJobError(error: unknown, at: Position): JobError {
  if (error instanceof JobError) return error;
  const { name, message, code } = error as Error & { code?: unknown };
  const coded = typeof code === "string" && { code };
  const failure = { name: name ?? "Error", message: message ?? String(error), ...coded };
  return new JobError(failureText(failure), { at, failure, cause: error });
}

/** Within an expression, the place of an error is the start of the statement around it. */
export function within({ source, line, indent }: CodeBlock, error: unknown): unknown {
  if (!(error instanceof JobError) || error.at === undefined || error.at.line >= line) return error;
  const at = { source, line, column: indent + 1 };
  return new JobError(error.message, { at, failure: error.failure, cause: error });
}
