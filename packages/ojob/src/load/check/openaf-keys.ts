/** Keys that OpenAF's oJob has and ojm does not have, by the map that holds them. */
const OPENAF_KEYS: Readonly<Record<string, readonly string[]>> = {
  ojob: [
    ...["flags", "owraps", "loadLibs", "langs", "integrity", "debug", "id", "tags", "metrics", "includeOJob"],
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

/** Whether OpenAF has this key at this place. Such a key is no misspelling of one of ours. */
export function isOpenAfKey(key: string, path: readonly string[]): boolean {
  return OPENAF_KEYS[path.join(".")]?.includes(key) ?? false;
}
