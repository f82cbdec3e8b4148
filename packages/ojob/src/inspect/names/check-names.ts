import { dirname } from "node:path";
import { nearest } from "@ojm/core/internal";
import type { JobFile } from "../../load/job-file.js";
import { findPackage, OPENAF } from "../../plan/packages.js";
import type { Plan } from "../../plan/planned.js";
import { PARAMETERS } from "../../script/compile.js";
import type { NamedPackage } from "../../script/protocol.js";
import type { Problems } from "../../text/problem.js";
import { type MissingName, missingNames } from "./missing-names.js";
import { openAfName } from "./openaf-names.js";
import { type ThreadNames, threadNames } from "./thread-names.js";

/** More names would bury the message. */
const MOST_NAMES = 8;

/**
 * Warns of each name in a script that nothing defines: where it is used, the script would fail. What script
 * threads have is asked of a thread of this entry.
 */
export async function checkNames(file: JobFile, plan: Plan, worker: URL, problems: Problems): Promise<void> {
  const packages = plan.setup.loads.filter((load) => typeof load !== "string");
  const thread = await threadNames(worker, packages);
  const missing = missingNames(file, plan, thread);
  const still = missing.length === 0 ? missing : await missingAnyway(file, plan, worker, packages, missing);
  offer(
    missing.filter((one) => !still.some((other) => isSame(one, other))),
    problems,
  );
  for (const one of still) tell(one, file, thread, problems);
}

/**
 * The names that are missing even if the package with the functions of OpenAF is loaded. Of its objects these
 * are the fields that it does not have.
 */
async function missingAnyway(
  file: JobFile,
  plan: Plan,
  worker: URL,
  packages: readonly NamedPackage[],
  missing: MissingName[],
): Promise<MissingName[]> {
  const found = findPackage(OPENAF, dirname(file.source.path));
  if (found === undefined || packages.some(({ name }) => name === OPENAF)) return missing;
  const still = missingNames(file, plan, await threadNames(worker, [...packages, found]));
  // A file that has nothing of OpenAF gains nothing.
  return missing.every((one) => still.some((other) => isSame(one, other))) ? missing : still;
}

function isSame(a: MissingName, b: MissingName): boolean {
  return a.name === b.name && a.script.owner === b.script.owner;
}

/** One warning for all of them: with the package they are there. */
function offer(offered: readonly MissingName[], problems: Problems): void {
  const [first] = offered;
  if (first === undefined) return;
  const names = [...new Set(offered.map(({ name }) => name))];
  const add = `add loads: ["${OPENAF}"] under "ojob"`;
  if (names.length === 1) {
    problems.warn(`"${first.name}" is not defined in ${first.script.owner}. It is of OpenAF: ${add}.`, first.at);
    return;
  }
  const shown = names.slice(0, MOST_NAMES).map((name) => `"${name}"`);
  const rest = names.length - shown.length;
  const list =
    rest > 0 ? `${shown.join(", ")} and ${rest} more` : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
  problems.warn(`${list} are not defined in the scripts of this file. They are of OpenAF: ${add}.`, first.at);
}

function tell(
  { name, script, at, isCertain }: MissingName,
  file: JobFile,
  thread: ThreadNames,
  problems: Problems,
): void {
  // A script that evaluates text may define what it likes, but not what is known to be of OpenAF.
  // A process of Node loads no packages for its script.
  const known = openAfName(name, script.kind === "process");
  if (known === undefined && !isCertain) return;
  problems.warn(`"${name}" is not defined in ${script.owner}.${hint(name, known, file, thread)}`, at);
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
