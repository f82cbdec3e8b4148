import type { JobOfOpenAf } from "../yaml/node.js";

/** A job of OpenAF whose work a shortcut does. Of two arguments for the same option, the first one wins. */
export interface JobAsShortcut extends JobOfOpenAf {
  readonly shortcut: string;
}

/**
 * Jobs of OpenAF's ojob.yaml, in small letters and without the word before: the shortcut, and the arguments.
 */
const TABLE: Readonly<Record<string, readonly [shortcut: string, args: string]>> = {
  channel: ["ch", "__name=value __op __key __kpath __vpath key=k keys=ks value=v values=vs extra"],
  check: ["check", "_checks=value _actions=actions"],
  convert: ["convert", "__inKey=value __inPath __inFormat __outPath __outKey"],
  debug: ["debug", ""],
  "file get": ["fileget", "__file=value __path __cache __ttl __out __key"],
  "find/replace": [
    "findReplace",
    "__key=value __path inputKey inputPath inputFile outputFile useRegExp flagsRegExp logJob",
  ],
  function: ["fn", "__fn=value __key __path __fnPath"],
  get: ["get", "__key=value __path"],
  if: ["if", "__condition=value __then __else __debug"],
  job: ["check", "_checks=value _actions=actions"],
  log: ["log", "msg=value __key __path level options"],
  options: ["optionOn", "__optionOn=value __todos __default __lowerCase __upperCase __async"],
  output: [
    "output",
    "__key=value key=value __path path __format format __title title __internal internal __function __csv __query",
  ],
  parallel: ["parallel", "todo=value isolateArgs isolateJob templateArgs shareArgs __debug"],
  pass: ["pass", "__args=value __debug __templateArgs"],
  print: ["print", "msg=value __key __path level"],
  "print md": ["printmd", "__text=value __outputMD"],
  query: ["query", "__query=value __type __from from __to __toKey __key key"],
  repeat: ["repeat", "__times=value __jobs=todo"],
  "repeat with each": ["each", "__path=value __key __jobs=todo"],
  "run file": ["run", "__job=value __args __out __key __inKey __usePM __inPM __templateArgs __debug"],
  "sec get": [
    "secget",
    "secKey=value secIn secRepo secBucket secPass secOut secMainPass secFile secDontAsk secIgnore secEnv",
  ],
  set: ["set", "__key=value __path __data __templateArgs __debug"],
  template: [
    "template",
    "template=value templateFile data dataFile outputFile __key __tpath __dpath __outPath __out logJob",
  ],
  todo: ["todo", "todo=value isolateArgs isolateJob templateArgs shareArgs __debug"],
  unset: ["unset", "__key=value"],
  wait: ["wait", "time=value"],
};

/** The jobs of that file that ojm does not have, and what is like them. */
const OTHERS: Readonly<Record<string, string>> = {
  exit: " Write the shortcut (fail), or exit(code) in a script.",
  run: " Name the job itself.",
  ...Object.fromEntries(
    `ask,deps report,final deps report,final report,get pm,get state,job debug,job final report,job report,llm,oafp,
    questions,report,sec set,set envs,set state,split to items,state,template folder`
      .split(",")
      .map((job) => [job.trim(), ""]),
  ),
};

function withoutPrefix(name: string): string {
  return /^ojob (.+)$/.exec(name.toLowerCase())?.[1] ?? "";
}

/** The shortcut that does what a job of OpenAF does. OpenAF does not mind capitals. */
export function asShortcut(name: string): JobAsShortcut | undefined {
  const job = withoutPrefix(name);
  const [shortcut, args] = (Object.hasOwn(TABLE, job) && TABLE[job]) || [];
  if (shortcut === undefined || args === undefined) return undefined;
  const pairs = (args.match(/\S+/g) ?? []).map((one) => {
    const [argument = "", option = argument.replace(/^__/, "")] = one.split("=");
    return [argument, option] as const;
  });
  return { name, shortcut, args: Object.fromEntries(pairs) };
}

/**
 * What to write instead of a job that comes with OpenAF, and not with ojm. `undefined` if it is none of
 * those.
 */
export function insteadOfJob(name: string): string | undefined {
  const shortcut = asShortcut(name)?.shortcut;
  if (shortcut !== undefined) return ` Write the shortcut (${shortcut}).`;
  const job = withoutPrefix(name);
  return Object.hasOwn(OTHERS, job) ? OTHERS[job] : undefined;
}
