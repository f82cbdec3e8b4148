import type { CodeBlock } from "../../load/job-file.js";

/** A template of Handlebars. */
const TEMPLATE = /\{\{[^{}]*\}\}\}?/g;

/** The script that returns the value of a condition. Each line of it is where it is in the file. */
export function conditionScript(block: CodeBlock, code: string): CodeBlock {
  // Behind a comment, the bracket needs a line of its own.
  const end = /\/\/[^\n]*$/.test(code.trimEnd()) ? "\n)" : ")";
  // A line before the first one, so that no column moves.
  const line = block.exact ? block.line - 1 : block.line;
  return { ...block, code: `return (\n${code.trimEnd()}${end};`, line };
}

/** The script that returns the value of an expression, behind which a semicolon may stand. */
export function expressionScript(block: CodeBlock): CodeBlock {
  return conditionScript(block, block.code.replace(/[\s;]+$/, ""));
}

/**
 * The same with a number in the place of each template, to look at its syntax and its names. `undefined` if
 * a template decides what the code is.
 */
export function conditionToCheck(block: CodeBlock): CodeBlock | undefined {
  if (/\{\{[#/^!]/.test(block.code)) return undefined;
  const code = block.code.replace(TEMPLATE, (template) => "0".padEnd(template.length));
  return code.includes("{{") ? undefined : conditionScript(block, code);
}
