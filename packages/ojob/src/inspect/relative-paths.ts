import type { AnyNode } from "acorn";
import type { Plan } from "../plan/planned.js";
import { placeAt } from "../script/compile.js";
import { eachNode } from "../script/javascript.js";
import type { Problems } from "../text/problem.js";

/** Functions of `node:fs` that take a path first. */
const TAKES_PATH =
  /^(?:access|appendFile|chmod|copyFile|cp|createReadStream|createWriteStream|exists|lstat|mkdir|open|opendir|readFile|readdir|readlink|realpath|rename|rm|rmdir|stat|truncate|unlink|utimes|watch|watchFile|writeFile)(?:Sync)?$/;

const USES_FILES = /["'`](?:node:)?fs(?:\/promises)?["'`]/;

/**
 * Warns of relative paths in JavaScript with `typeArgs.pwd`. A thread has no working directory of its own, so
 * Node takes them from that of the process.
 */
export function warnOfRelativePaths({ jobs }: Plan, problems: Problems): void {
  for (const { name, folder, steps } of jobs.values()) {
    if (folder === undefined) continue;
    for (const step of steps) {
      if (!("code" in step) || step.lang !== undefined || step.module === true) continue;
      const usesFiles = USES_FILES.test(step.code.code);
      eachNode(step.code.code, (node) => {
        const path = relativePath(node, usesFiles);
        if (path !== undefined) {
          const message = `"pwd" of "${name}" does not change what ${path} means in JavaScript: it begins at the working directory of the process. Write path.join(job.pwd, …).`;
          problems.warn(message, placeAt(step.code, node.start));
        }
        return true;
      });
    }
  }
}

/** What in a call depends on the working directory; `undefined` if nothing does. */
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

/** The text that an argument begins with, if it is written out. */
function textOf(node: AnyNode | undefined): string | undefined {
  if (node?.type === "TemplateLiteral") return node.quasis[0]?.value.raw;
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

function isName(node: AnyNode, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}
