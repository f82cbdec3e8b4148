import type { AnyNode } from "acorn";
import type { JobFile } from "../load/job-file.js";
import { warnOfUnrequested } from "../plan/file-checks.js";
import { preparing } from "../plan/manager/channels.js";
import type { Plan } from "../plan/planned.js";
import { warnOfQueues } from "../plan/queue/queue-checks.js";
import { prepareJobFile } from "../prepare.js";
import { type RunFileOptions, SCRIPT_WORKER } from "../run.js";
import { placeAt } from "../script/compile.js";
import { eachNode } from "../script/javascript.js";
import type { Problem, Problems } from "../text/problem.js";
import { checkNames } from "./names/names.js";
import { isName } from "./names/read-names.js";
import { LoadError } from "./names/thread-names.js";

/** How a job file is checked: as for its run. A channel type that cannot be found is an error. */
export type CheckOptions = Pick<RunFileOptions, "args" | "strict" | "loads" | "prepare">;

/** The contents of a job file that can be run. */
export interface Checked {
  /** How many jobs the file and its included files have, without those that come with ojm. */
  readonly jobs: number;
  /** How many of the jobs run by a schedule. */
  readonly periodic: number;
  /** 0 if the file is a library: jobs without a todo. */
  readonly todo: number;
  /** The names of the files that it includes. */
  readonly includes: readonly string[];
  readonly warnings: readonly Problem[];
}

export async function checkFile(
  name: string,
  { args = {}, strict = false, loads, prepare }: CheckOptions,
): Promise<Checked> {
  const checks = { purpose: "check", channelTypes: preparing(prepare), further: lookAtRest } as const;
  const { file, warnings } = await prepareJobFile(name, { args, strict, loads, ...checks });
  const jobs = [...file.jobs.values()].filter((job) => job.builtin === undefined);
  return {
    jobs: jobs.length,
    periodic: jobs.filter(({ type }) => type === "periodic").length,
    todo: file.todo.length,
    includes: file.included.map((source) => source.name),
    warnings,
  };
}

async function lookAtRest(file: JobFile, plan: Plan, problems: Problems): Promise<void> {
  const isEmpty = file.todo.length === 0 && [...file.jobs.values()].every(({ builtin }) => builtin !== undefined);
  if (isEmpty && problems.errors.length === 0) problems.error(`${file.source.name} has neither jobs nor a "todo".`);
  warnOfRelativePaths(plan, problems);
  warnOfUnrequested(plan, problems);
  warnOfQueues(file, plan, problems);
  try {
    await checkNames(file, plan, SCRIPT_WORKER, problems);
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    problems.error(`${error.message}.`, file.settings.loads?.[0]?.at);
  }
}

/** Functions of `node:fs` that take a path first. */
const TAKES_PATH =
  /^(?:access|appendFile|chmod|copyFile|cp|createReadStream|createWriteStream|exists|lstat|mkdir|open|opendir|readFile|readdir|readlink|realpath|rename|rm|rmdir|stat|truncate|unlink|utimes|watch|watchFile|writeFile)(?:Sync)?$/;

const USES_FILES = /["'`](?:node:)?fs(?:\/promises)?["'`]/;

/** Warns of relative paths in JavaScript with `typeArgs.pwd`: Node resolves them from its own folder. */
function warnOfRelativePaths({ jobs }: Plan, problems: Problems): void {
  for (const { name, folder, steps } of jobs.values()) {
    if (folder === undefined) continue;
    for (const step of steps) {
      if (!("code" in step) || step.lang !== undefined || step.module === true) continue;
      const usesFiles = USES_FILES.test(step.code.code);
      eachNode(step.code.code, (node) => {
        const path = relativePath(node, usesFiles);
        if (path !== undefined) {
          const message = `"pwd" of "${name}" has no effect on ${path} in JavaScript, which uses the working directory of the process. Write path.join(job.pwd, …).`;
          problems.warn(message, placeAt(step.code, node.start));
        }
        return true;
      });
    }
  }
}

/** The argument of a call that depends on the working directory. `undefined` if none does. */
function relativePath(node: AnyNode, usesFiles: boolean): string | undefined {
  if (node.type !== "CallExpression") return undefined;
  const { callee, arguments: given } = node;
  const method = callee.type === "MemberExpression" ? callee.property : callee;
  const called = method.type === "Identifier" ? method.name : "";
  if (called === "cwd" && callee.type === "MemberExpression" && isName(callee.object, "process"))
    return "process.cwd()";
  const path = textOf(given[0]);
  if (!usesFiles || !TAKES_PATH.test(called) || path === undefined || path === "") return undefined;
  return /^(?:[\\/~]|[a-z]+:)/i.test(path) ? undefined : JSON.stringify(path);
}

/** The text at the start of an argument, if it is a literal. */
function textOf(node: AnyNode | undefined): string | undefined {
  if (node?.type === "TemplateLiteral") return node.quasis[0]?.value.raw;
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}
