import { nearest } from "@ojm/core/backend";
import type { CodeBlock, JobFile } from "../../load/job-file.js";
import type { Plan } from "../../plan/planned.js";
import { MODULE_PARAMETERS, PARAMETERS, placeIn } from "../../script/compile.js";
import type { Position, Problems } from "../../text/problem.js";
import { definitionsOf, type Names } from "./definitions.js";
import { openAfName } from "./openaf-names.js";
import { readNames } from "./read-names.js";
import { allScripts, type Script, scriptsOf } from "./scripts.js";
import type { ThreadNames } from "./thread-names.js";
import type { FreeName } from "./walk.js";

/** The names that a process of Node gives its script. */
const PROCESS_PARAMETERS: readonly string[] = ["args", "require"];

/**
 * Warns of each name in a script that nothing defines: where it is used, the script would fail. A name that
 * the script asks for by `typeof` is no fault.
 */
export function checkNames(file: JobFile, plan: Plan, thread: ThreadNames, problems: Problems): void {
  const defined = definitionsOf(file, plan, allScripts(file, plan));
  const told = new Set<string>();
  for (const script of scriptsOf(file, plan)) {
    const read = readNames(script);
    if (read === undefined) continue;
    for (const free of read.walk.free) {
      const name = missingName(free, script, thread, defined, read.walk.asked);
      if (name === undefined || told.has(`${script.owner} ${name}`)) continue;
      // A script that evaluates text may define what it likes, but not what is known to be of OpenAF.
      const known = openAfName(name);
      if (known === undefined && (defined.unknown || read.walk.defined.evaluates)) continue;
      told.add(`${script.owner} ${name}`);
      const line = (free.node.loc?.start.line ?? 1) - read.linesBefore;
      const at = placeOf(script.block, free.name, line, free.node.loc?.start.column ?? 0);
      const more = hint(name, known, file, thread);
      problems.warn(`"${name}" is not defined in ${script.owner}.${more}`, at);
    }
  }
}

/** The name, with its field where only that is missing; `undefined` if it is there. */
function missingName(
  { name, field }: FreeName,
  { kind }: Script,
  { globals, fields }: ThreadNames,
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
  const known = fields.get(name);
  return known === undefined || field === undefined || known.has(field) ? undefined : `${name}.${field}`;
}

function hint(name: string, instead: string | undefined, { settings }: JobFile, { globals }: ThreadNames): string {
  if (instead === "") return " It is of OpenAF, and nothing here does the same.";
  if (instead !== undefined) return ` It is of OpenAF: ${instead}.`;
  // Of short names each is near to another one.
  const near = name.length < 5 ? undefined : nearest(name, [...PARAMETERS, ...globals]);
  if (near !== undefined) return ` Did you mean "${near}"?`;
  return settings.opacks === undefined
    ? ""
    : ' If it is of an oPack: they cannot be loaded. Put its functions into a file under "ojob.loads".';
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
