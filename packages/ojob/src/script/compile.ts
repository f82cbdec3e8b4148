import vm from "node:vm";
import type { CodeBlock } from "../load/job-file.js";
import type { Position } from "../text/problem.js";

export interface Code {
  readonly code: string;
  readonly file: string;
  readonly line: number;
}

export const PARAMETERS: readonly string[] = ["args", "job", "exception", "require"];

export const MODULE_PARAMETERS: readonly string[] = ["module", "exports", "require"];

type Compiled = (...parameters: unknown[]) => unknown;

/**
 * Compiles a script as the body of a function, so that `return` ends it and `await` works in it. Its lines
 * keep their numbers in the file. `importer` makes `import()` work. `names` are visible to the script beside
 * the globals.
 *
 * @throws SyntaxError
 */
export function compile(
  { code, file, line }: Code,
  importer?: unknown,
  names: readonly string[] = PARAMETERS,
): Compiled {
  const compileBody = (text: string, lineOffset: number): Compiled => {
    const options = {
      filename: file,
      lineOffset,
      ...(importer !== undefined && { importModuleDynamically: importer }),
    };
    return vm.compileFunction(text, [...names], options as vm.CompileFunctionOptions) as Compiled;
  };
  try {
    return compileBody(code, line - 1);
  } catch (error) {
    if (!(error instanceof SyntaxError) || !/\bawait\b/.test(code)) throw error;
    // The wrapper has its own line, so that no column moves.
    return compileBody(`return (async () => {\n${code}\n})();`, line - 2);
  }
}

/** Converts a line and column of the script engine to a place in the job file. */
export function placeIn(block: CodeBlock, line: number, column: number): Position {
  const { source, indent } = block;
  if (!block.exact) return { source, line: block.line, column: indent + 1 };
  const lines = block.code.replace(/\n+$/, "").split("\n");
  // "Unexpected end of input" is reported after the last line, which may belong to another job.
  const index = Math.min(Math.max(0, line - block.line), lines.length - 1);
  const last = index < line - block.line ? (lines[index]?.length ?? 0) + 1 : column;
  return { source, line: block.line + index, column: last + indent };
}

/** Converts a place in a code block, in characters from its start, to a place in the job file. */
export function placeAt(block: CodeBlock, offset: number): Position {
  const before = block.code.slice(0, offset).split("\n");
  return placeIn(block, block.line + before.length - 1, (before.at(-1) ?? "").length + 1);
}

/** The place of an error by its stack: the first frame within the block. */
export function placeOfError(stack: string, block: CodeBlock): Position | undefined {
  const mark = `${block.source.path}:`;
  // The stack of a SyntaxError starts with "FILE:LINE", the line, and carets under it.
  const syntax = stack.startsWith(mark) ? /^(\d+)\n.*\n(?:(\s*)\^)?/.exec(stack.slice(mark.length)) : null;
  if (syntax) return placeIn(block, Number(syntax[1]), (syntax[2] ?? "").length + 1);
  for (let start = stack.indexOf(mark); start >= 0; start = stack.indexOf(mark, start + 1)) {
    const frame = /^(\d+):(\d+)/.exec(stack.slice(start + mark.length));
    if (frame && isWithin(block, Number(frame[1]))) return placeIn(block, Number(frame[1]), Number(frame[2]));
  }
  return undefined;
}

function isWithin(block: CodeBlock, line: number): boolean {
  return !block.exact || (line >= block.line && line < block.line + block.code.split("\n").length);
}
