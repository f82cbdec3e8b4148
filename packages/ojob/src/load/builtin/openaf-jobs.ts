/** Jobs that come with OpenAF, in small letters, without the word before. ojm has none of them. */
const JOBS: ReadonlySet<string> = new Set(
  `ask,channel,check,convert,debug,deps report,exit,file get,final deps report,final report,find/replace,function,get,
  get pm,get state,if,job,job debug,job final report,job report,llm,log,oafp,options,output,parallel,pass,print,print md,
  query,questions,repeat,repeat with each,report,run,run file,sec get,set envs,set state,split to items,state,template,
  template folder,todo,unset,wait`
    .replace(/\s+/g, " ")
    .split(/, ?/),
);

/** The shortcuts that ojm has for such jobs, where they have another name. */
const SHORTCUTS: Readonly<Record<string, string>> = {
  channel: "ch",
  exit: "fail",
  "file get": "fileget",
  "find/replace": "findReplace",
  function: "fn",
  options: "optionOn",
  "print md": "printmd",
  "repeat with each": "each",
  "run file": "runfile",
  "sec get": "secget",
};

/** The same name. */
const SAME: ReadonlySet<string> = new Set(
  "check convert debug get if log output parallel pass print query repeat run set template todo unset wait".split(" "),
);

function withoutPrefix(name: string): string | undefined {
  return /^ojob (.+)$/.exec(name.toLowerCase())?.[1];
}

/** Whether a job of this name comes with OpenAF, and not with ojm. OpenAF does not mind capitals. */
export function isOpenAfJob(name: string): boolean {
  return JOBS.has(withoutPrefix(name) ?? "");
}

/** The shortcut that does what a job of OpenAF does. */
export function shortcutOfJob(name: string): string | undefined {
  const job = withoutPrefix(name) ?? "";
  if (Object.hasOwn(SHORTCUTS, job)) return SHORTCUTS[job];
  return SAME.has(job) ? job : undefined;
}
