/** Jobs that come with OpenAF, in small letters, without the word before. ojm has none of them. */
const JOBS: ReadonlySet<string> = new Set(
  `ask,channel,check,convert,debug,deps report,exit,file get,final deps report,final report,find/replace,function,get,
  get pm,get state,if,job,job debug,job final report,job report,llm,log,oafp,options,output,parallel,pass,print,print md,
  query,questions,repeat,repeat with each,report,run,run file,sec get,set envs,set state,split to items,state,template,
  template folder,todo,unset,wait`
    .replace(/\s+/g, " ")
    .split(/, ?/),
);

/** Whether a job of this name comes with OpenAF, and not with ojm. OpenAF does not mind capitals. */
export function isOpenAfJob(name: string): boolean {
  const [, rest] = /^ojob (.+)$/.exec(name.toLowerCase()) ?? [];
  return rest !== undefined && JOBS.has(rest);
}
