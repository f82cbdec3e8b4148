import type { MapEntry, Node } from "../yaml/node.js";

/** What to write instead of a shortcut of OpenAF. */
const SHORTCUTS: Readonly<Record<string, string>> = {
  if: 'give the item of "todo" a "when", or write the condition in "exec" and call $job(name, args)',
  optionOn: 'write one item of "todo" for each option, with a "when": { name: A, when: return args.option === "a" }',
  pass: 'write the values under "args"',
  wait: "write sleep(ms) in the script of a job",
  parallel: 'give the job a list of "args", or write "async: true" under "ojob"',
  todo: 'name the jobs one by one, or call $job(name, args) in "exec"',
  run: "name the job itself",
  runfile: 'name a job with "type: jobs" and that file under "typeArgs"',
  repeat: 'call $job(name, args) in a loop in "exec"',
  each: 'return the list in "exec", and name the job under "each"',
  fail: 'write throw new Error("…") in the script of a job',
  fn: "call the function in the script of a job",
  check: 'write "check: { in: … }" in the job',
  query: "write $from(list) in the script of a job",
  convert: "write the conversion in the script of a job",
  findReplace: "write text.replaceAll(a, b) in the script of a job",
  output: "write print(af.toYAML(value)) or console.table(list) in the script of a job",
  print: "write print(text) in the script of a job",
  printmd: "write print(text) in the script of a job",
  log: "write log(message) in the script of a job",
  debug: 'write "logArgs: true" under "ojob"',
  jobdebug: 'write "logArgs: true" under "ojob"',
  jobsdebug: 'write "logArgs: true" under "ojob"',
  template: "write templify(template, data) in the script of a job",
  templateFolder: "write templify(template, data) for each file in the script of a job",
  ch: "write $ch(name) in the script of a job",
  get: "write $get(key) in the script of a job",
  set: "write $set(key, value) in the script of a job",
  unset: "write $set(key, undefined) in the script of a job",
  state: 'write $set("state", name) in the script of a job',
  stateOn: 'write one item of "todo" for each state, with a "when": return $get("state") === "a"',
  fileget: 'write require("node:fs").readFileSync(file, "utf8") in the script of a job',
  secget:
    'give the secret as an argument, which is marked "secret: true" under "help.expects", or read it by $env(name)',
  ask: 'give the answer as an argument, which is named under "help.expects"',
  questions: 'give the answers as arguments, which are named under "help.expects"',
  oafp: 'write a job with "lang: shell" that calls oafp',
  llm: "write await fetch(address) in the script of a job",
};

/** The keys that hold names of jobs, in whose place OpenAF takes shortcuts. */
const PLACES: readonly string[] = ["todo", "from", "earlier", "to", "then"];

/** The entry that makes a shortcut of OpenAF out of an item of `todo`, `from` or `to`. */
export function shortcutIn(item: Node, path: readonly string[]): MapEntry | undefined {
  if (item.kind !== "map" || !PLACES.includes(path.at(-1) ?? "")) return undefined;
  const keys = item.entries.filter(({ key }) => key.startsWith("("));
  // Keys with two brackets are options of the shortcut.
  return keys.find(({ key }) => !key.startsWith("((")) ?? keys[0];
}

/** Why a shortcut is refused, and what to write instead. */
export function shortcutMessage(key: string): string {
  // Real files align their keys: "(pass      )".
  const name = key.replace(/[()]/g, "").trim();
  const instead = Object.hasOwn(SHORTCUTS, name) ? SHORTCUTS[name] : undefined;
  if (instead === undefined) return `"${key}" is no job: shortcuts of OpenAF are not supported here. Name a job.`;
  return `the shortcut "(${name})" of OpenAF is not supported here. Instead, ${instead}.`;
}
