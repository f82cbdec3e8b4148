import type { CodeBlock, JobFile } from "../../load/job-file.js";
import type { Plan } from "../../plan/planned.js";
import { MODULE_PARAMETERS, PARAMETERS, placeIn } from "../../script/compile.js";
import type { Position } from "../../text/problem.js";
import { definitionsOf, type Names } from "./definitions.js";
import { readNames } from "./reading/read-names.js";
import type { FreeName } from "./reading/walk.js";
import { allScripts, type Script, scriptsOf } from "./scripts.js";
import type { ThreadNames } from "./thread-names.js";

/** A name in a script that nothing defines. */
export interface MissingName {
  readonly name: string;
  readonly script: Script;
  readonly at: Position;
  /** Whether nothing can define it: no script of the file evaluates text or the like. */
  readonly isCertain: boolean;
}

/** The names that a process of Node gives its script. */
const PROCESS_PARAMETERS: readonly string[] = ["args", "require"];

/**
 * The names in the scripts of a file that nothing defines, each once for each script. A name that the script
 * asks for by `typeof` is no fault.
 */
export function missingNames(file: JobFile, plan: Plan, thread: ThreadNames): MissingName[] {
  const defined = definitionsOf(file, plan, allScripts(file, plan));
  const told = new Set<string>();
  return scriptsOf(file, plan).flatMap((script) => {
    const read = readNames(script);
    if (read === undefined) return [];
    const isCertain = !defined.unknown && !read.walk.defined.evaluates;
    return read.walk.free.flatMap((free) => {
      const name = missingName(free, script, thread, defined, read.walk.asked);
      if (name === undefined || told.has(`${script.owner} ${name}`)) return [];
      told.add(`${script.owner} ${name}`);
      const line = (free.node.loc?.start.line ?? 1) - read.linesBefore;
      const at = placeOf(script.block, free.name, line, free.node.loc?.start.column ?? 0);
      return [{ name, script, at, isCertain }];
    });
  });
}

/** The name, with its fields as far as the one that is missing; `undefined` if all is there. */
function missingName(
  { name, fields, by }: FreeName,
  { kind }: Script,
  { globals, fields: known }: ThreadNames,
  defined: Names,
  asked: ReadonlySet<string>,
): string | undefined {
  if (asked.has(name)) return undefined;
  if (kind === "process") {
    return PROCESS_PARAMETERS.includes(name) || Object.hasOwn(globalThis, name) ? undefined : name;
  }
  const own = kind === "thread" ? PARAMETERS : MODULE_PARAMETERS;
  if (own.includes(name) || (kind === "module" && /^__(file|dir)name$/.test(name))) return undefined;
  if (defined.names.has(name)) return undefined;
  if (!globals.has(name)) return name;
  // That the call is missing is told already.
  if (by !== undefined && known.get(name)?.has(by) === false) return undefined;
  let path = name;
  for (const field of fields) {
    const there = known.get(path);
    path += `.${field}`;
    if (there === undefined || field in Object.prototype || defined.names.has(path)) return undefined;
    if (!there.has(field)) return path;
  }
  return undefined;
}

/**
 * The place of a name. Folded and quoted texts have other lines than their file. There it is the first place
 * with that word.
 */
function placeOf(block: CodeBlock, name: string, line: number, column: number): Position {
  if (block.exact) return placeIn(block, block.line + line - 1, column + 1);
  const word = new RegExp(`(?<![\\w$.])${name.replace(/\$/g, "\\$")}(?![\\w$])`);
  for (let at = block.line; ; at++) {
    const text = block.source.line(at);
    if (text === undefined) return placeIn(block, block.line, 1);
    const from = at === block.line ? block.indent : 0;
    const found = text.slice(from).search(word);
    if (found >= 0) return { source: block.source, line: at, column: from + found + 1 };
  }
}
