/** Keys that OpenAF's oJob has and ojm does not have, by the map that holds them. */
const OPENAF_KEYS: Readonly<Record<string, readonly string[]>> = {
  ojob: [
    ...["flags", "owraps", "loadLibs", "langs", "integrity", "debug", "id", "tags", "metrics"],
    ...["checkStall", "timeInterval", "daemonFunc", "depsWait", "depsOnFail", "poolThreadFactor", "initTemplateEscape"],
    ...["logOJob", "ignoreNoLog", "logLimit", "logHistory", "conAnsi", "conWidth", "showHelp"],
  ],
  "jobs.typeArgs": [...["pre", "pos", "langFn", "returnFn", "returnRE"], ...["execJs", "execPy", "async", "cronCheck"]],
  "ojob.channels": [
    "recordLog",
    "recordLogHistory",
    "expose",
    "list",
    "port",
    "host",
    "auth",
    "peers",
    "clusters",
    "log",
  ],
  "ojob.log": ["level"],
};

/** What to write instead of a state of OpenAF. */
export const INSTEAD_OF_STATES: string =
  'set one by $set("state", "ready") in a script, and write "when" in the item of "todo": return $get("state") == "ready"';

/** Keys of OpenAF without which the file does something else, and what to write instead. */
const REFUSED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "jobs.typeArgs": {
    when: `ojm has no states: ${INSTEAD_OF_STATES}`,
  },
};

/** Why a key of OpenAF is refused at this place, and what to write instead; `undefined` if it is not. */
export function refusalOf(key: string, path: readonly string[]): string | undefined {
  const keys = REFUSED[path.join(".")] ?? {};
  return Object.hasOwn(keys, key) ? keys[key] : undefined;
}

/** Whether OpenAF has this key at this place. Such a key is no misspelling of one of ours. */
export function isOpenAfKey(key: string, path: readonly string[]): boolean {
  return OPENAF_KEYS[path.join(".")]?.includes(key) ?? false;
}
