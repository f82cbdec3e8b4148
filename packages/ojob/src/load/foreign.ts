/** Keys that OpenAF's oJob has and ojm has not, by the map that they stand in. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  ojob: [
    ...["flags", "opacks", "owraps", "loadLibs", "langs", "integrity", "debug", "id", "tags", "metrics", "includeOJob"],
    ...["checkStall", "timeInterval", "daemonFunc", "depsWait", "depsOnFail", "poolThreadFactor", "initTemplateEscape"],
    ...["logOJob", "ignoreNoLog", "logLimit", "logHistory", "conAnsi", "conWidth", "showHelp"],
  ],
  "jobs.typeArgs": [
    ...["noTemplateArgs", "noTemplate", "shellPrefix", "shell", "pre", "pos", "langFn", "returnFn", "returnRE"],
    ...["shortcut", "execJs", "execPy", "url", "async", "cronCheck"],
  ],
  "ojob.channels": ["recordLog", "recordLogHistory", "expose", "list", "port", "host", "auth", "peers", "clusters"],
  "ojob.log": ["level"],
};

/** Whether a key, at a place, is one that OpenAF knows: nobody who wrote it meant another one of ours. */
export function isForeign(key: string, path: readonly string[]): boolean {
  return FOREIGN[path.join(".")]?.includes(key) ?? false;
}
