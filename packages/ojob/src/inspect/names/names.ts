import { dirname } from "node:path";
import { nearest } from "@ojm/core/internal";
import type { CodeBlock, JobFile } from "../../load/job-file.js";
import { jobsNamedIn, type Plan } from "../../plan/planned.js";
import { findPackage, OPENAF } from "../../plan/setup.js";
import { MODULE_PARAMETERS, PARAMETERS, placeIn } from "../../script/compile.js";
import type { Position, Problems } from "../../text/problem.js";
import { openAfName } from "./openaf-names.js";
import { type FreeName, readNames } from "./read-names.js";
import { allScripts, type Script, scriptsOf } from "./scripts.js";
import { type ThreadNames, threadNames } from "./thread-names.js";

/** More names would bury the message. */
const MAX_NAMES = 8;

/** Warns of each undefined name in a script, at which it would fail. `worker` is the entry of a thread. */
export async function checkNames(file: JobFile, plan: Plan, worker: URL, problems: Problems): Promise<void> {
  const packages = plan.setup.loads.filter((load) => typeof load !== "string");
  const thread = await threadNames(worker, packages);
  const missing = missingNames(file, plan, thread);
  const isAsked = missing.length > 0 && !packages.some(({ name }) => name === OPENAF);
  const found = isAsked ? findPackage(OPENAF, dirname(file.source.path)) : undefined;
  // The names that are missing even with OpenAF's package; for its objects, the fields that they lack.
  const anyway = found && missingNames(file, plan, await threadNames(worker, [...packages, found]));
  const offered = missing.filter((one) => anyway?.some((other) => isSame(one, other)) === false);
  offer(offered, problems);
  // The package does not help a file that uses nothing of OpenAF.
  for (const one of (offered.length > 0 && anyway) || missing) warn(one, file, thread, problems);
}

function isSame(a: MissingName, b: MissingName): boolean {
  return a.name === b.name && a.script.owner === b.script.owner;
}

/** One warning for all names that the package would define. */
function offer(offered: readonly MissingName[], problems: Problems): void {
  const [first] = offered;
  if (first === undefined) return;
  const names = [...new Set(offered.map(({ name }) => name))];
  const add = `add loads: ["${OPENAF}"] under "ojob"`;
  if (names.length === 1) {
    problems.warn(`"${first.name}" is not defined in ${first.script.owner}. It belongs to OpenAF: ${add}.`, first.at);
    return;
  }
  const shown = names.slice(0, MAX_NAMES).map((name) => `"${name}"`);
  const rest = names.length - shown.length;
  const list =
    rest > 0 ? `${shown.join(", ")} and ${rest} more` : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
  problems.warn(`${list} are not defined in the scripts of this file. They are of OpenAF: ${add}.`, first.at);
}

function warn(
  { name, script, at, isCertain }: MissingName,
  file: JobFile,
  thread: ThreadNames,
  problems: Problems,
): void {
  // A script that evaluates text may define any name, so only a name of OpenAF is certain to be missing. A
  // script in a process of Node cannot load packages, so the hint must not name one.
  const known = openAfName(name, script.kind === "process");
  if (known === undefined && !isCertain) return;
  problems.warn(`"${name}" is not defined in ${script.owner}.${hint(name, known, file, thread)}`, at);
}

function hint(name: string, instead: string | undefined, { settings }: JobFile, { globals }: ThreadNames): string {
  if (instead === "") return " It belongs to OpenAF, and has no equivalent here.";
  if (instead !== undefined) return ` It belongs to OpenAF: ${instead}.`;
  // Every short name is near to some other name.
  const near = name.length < 5 ? undefined : nearest(name, [...PARAMETERS, ...globals]);
  if (near !== undefined) return ` Did you mean "${near}"?`;
  return settings.opacks === undefined
    ? ""
    : ' If it belongs to an oPack: oPacks cannot be loaded. Put its functions into a file under "ojob.loads".';
}

interface MissingName {
  readonly name: string;
  readonly script: Script;
  readonly at: Position;
  /** Whether it is surely undefined: no script of the file evaluates text or the like. */
  readonly isCertain: boolean;
}

/** The names that a process of Node gives its script. */
const PROCESS_PARAMETERS: readonly string[] = ["args", "require"];

/** The undefined names in the scripts of a file, without those that the script tests by `typeof`. */
function missingNames(file: JobFile, plan: Plan, thread: ThreadNames): MissingName[] {
  const defined = definitionsOf(file, plan, allScripts(file, plan));
  const seen = new Set<string>();
  return scriptsOf(file, plan).flatMap((script) => {
    const read = readNames(script);
    if (read === undefined) return [];
    const isCertain = !defined.unknown && !read.walk.defined.evaluates;
    return read.walk.free.flatMap((free) => {
      const name = missingName(free, script, thread, defined, read.walk.tested);
      if (name === undefined || seen.has(`${script.owner} ${name}`)) return [];
      seen.add(`${script.owner} ${name}`);
      const line = (free.node.loc?.start.line ?? 1) - read.linesBefore;
      const at = placeOf(script.block, free.name, line, free.node.loc?.start.column ?? 0);
      return [{ name, script, at, isCertain }];
    });
  });
}

/** The name, with its fields up to the missing one. `undefined` if nothing is missing. */
function missingName(
  { name, fields, by }: FreeName,
  { kind }: Script,
  { globals, fields: known }: ThreadNames,
  defined: Names,
  tested: ReadonlySet<string>,
): string | undefined {
  if (tested.has(name)) return undefined;
  if (kind === "process") {
    return PROCESS_PARAMETERS.includes(name) || Object.hasOwn(globalThis, name) ? undefined : name;
  }
  const own = kind === "thread" ? PARAMETERS : MODULE_PARAMETERS;
  if (own.includes(name) || (kind === "module" && /^__(file|dir)name$/.test(name))) return undefined;
  if (defined.names.has(name)) return undefined;
  if (!globals.has(name)) return name;
  // The missing call has been reported already.
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

/** The place of a name. In folded and quoted texts it is the first place with that word. */
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

interface Names {
  readonly names: ReadonlySet<string>;
  /** Whether there may be more names, which only a run shows. */
  readonly unknown: boolean;
}

/** Jobs that come with ojm and set the variable of `global` that one of these arguments names. */
const SETTERS: Readonly<Record<string, string>> = {
  "oJob Set": "name",
  "oJob Path Set": "name",
  "oJob Sort Array": "name",
  "oJob Args from JSON": "global",
  "oJob Args from YAML": "global",
};

/** Collects the names that `loads`, `init` and the scripts of a file define for all of its scripts. */
function definitionsOf(file: JobFile, plan: Plan, scripts: readonly Script[]): Names {
  const names = new Set<string>(file.init === undefined ? [] : ["init"]);
  const loadedModules = plan.setup.loads.flatMap((load) => (typeof load === "string" && file.code.get(load)) || []);
  let unknown = false;
  const addAll = (more: Iterable<string>): void => {
    for (const name of more) names.add(name);
  };
  for (const script of scripts) {
    const read = readNames(script);
    if (read === undefined) continue;
    const { defined } = read.walk;
    addAll(defined.globals);
    const isLoaded = script.kind === "loaded" || loadedModules.includes(script.block);
    if (isLoaded) addAll(defined.exports);
    addAll(read.own);
    unknown ||= defined.unknownGlobals || (isLoaded && (defined.unknownExports || defined.evaluates));
  }
  addAll(setByJobs(file));
  return { names, unknown };
}

/** The variables that jobs of the file set through a job that comes with ojm. */
function setByJobs({ jobs, todo }: JobFile): string[] {
  const steps = [...jobs.values()].flatMap(({ from, to }) => [...from, ...to]);
  const called = [...jobsNamedIn(steps), ...todo.map(({ job }) => job)];
  const all = [...jobs.values(), ...todo].flatMap(({ args }) => args);
  return called.flatMap((job) => {
    const argument = Object.hasOwn(SETTERS, job) ? SETTERS[job] : undefined;
    // The caller of the job may give the argument.
    const values = argument === undefined ? [] : all.map((args) => args[argument]);
    return values.filter((value) => typeof value === "string");
  });
}
