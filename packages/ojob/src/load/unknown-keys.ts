import { nearest } from "@ojm/core/internal";
import { jobFileShape } from "./schema.js";
import type { Fields, Shape } from "./shape.js";
import { child, type MapNode } from "./yaml/node.js";

/** The hint for the key under which GitHub Actions has the matrix of a job. */
const STRATEGY = ' Write its "matrix" right in the job, and "failFast" and "maxParallel" under "typeArgs".';

/** A map of a job file, by the keys that lead to it. */
type Path = readonly string[];

/** Arguments of a built-in job that people write outside of `args`. */
const ARGUMENTS: readonly string[] = ["chJobs", "chLocks", "chLogs", "logBudget", "retention"];

/** Our keys, with their other names, from other programs and common mistakes. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  env: ["environment", "var"],
  envFile: ["env_file"],
  jobs: ["job"],
  args: ["arg"],
  timeZone: ["tz", "timezone"],
  cron: ["schedule"],
  retry: ["retries"],
  overlap: ["concurrency", "concurrencyPolicy", "maxInstances"],
  missed: ["catchUp", "catchup", "misfire"],
  jitter: ["splay"],
};

/** The keys that hold steps. Settings of a job do not belong among the options of a step. */
const STEPS: readonly string[] = ["from", "to", "earlier", "then"];

let places: ReadonlyMap<string, readonly Path[]> | undefined;

export function belongs(key: string, here: Path, fields: Fields): string {
  if (isOpenAfKey(key, here)) return " OpenAF has it, but ojm does not.";
  // Any word may be the name of a checked argument.
  if (here.join(".") === "jobs.check") return ` Checks of arguments belong under "in": check: { in: { ${key}: … } }.`;
  if (key === "strategy" && here.join(".") === "jobs") return STRATEGY;
  if (isWork(key, here)) return ` ${insteadOf()}`;
  places ??= findPlaces();
  const [name] = Object.entries(OTHER_NAMES).find(([, others]) => others.includes(key)) ?? [];
  if (name !== undefined && Object.hasOwn(fields, name)) return ` Did you mean "${name}"?`;
  const elsewhere = closest(places.get(key) ?? [], here);
  if (elsewhere !== undefined) return ` It belongs ${inWords(elsewhere, here)}.`;
  const near = name === undefined ? nearKey(key, Object.keys(fields)) : undefined;
  if (near !== undefined) return ` Did you mean "${near}"?`;
  const nearElsewhere = name ?? nearKey(key, places.keys());
  const place = closest(places.get(nearElsewhere ?? "") ?? [], here);
  return place === undefined ? "" : ` Did you mean "${nearElsewhere}" ${inWords(place, here)}?`;
}

/** The nearest key. Of a short word, one must begin with the other, or have one letter less. */
function nearKey(key: string, known: Iterable<string>): string | undefined {
  const near = nearest(key, known);
  if (near === undefined || key.length > 3) return near;
  return near.startsWith(key) || key.startsWith(near) || lacksOne(key, near) ? near : undefined;
}

function lacksOne(short: string, long: string): boolean {
  return [...long].some((_, i) => long.slice(0, i) + long.slice(i + 1) === short);
}

export const meansSchedule = (hint: string): boolean => /Did you mean "(?:cron|timeInterval)"\?$/.test(hint);

function findPlaces(): Map<string, Path[]> {
  const found = new Map<string, Path[]>();
  const add = (key: string, path: Path): void => {
    const paths = found.get(key) ?? [];
    if (!paths.some((one) => one.join(".") === path.join("."))) found.set(key, [...paths, path]);
  };
  const walk = (shape: Shape, path: Path): void => {
    if (shape.kind === "either") for (const one of shape.of) walk(one, path);
    if (shape.kind === "list" || shape.kind === "some") walk(shape.of, path);
    // The keys of an open map are the user's.
    if (shape.kind !== "map" || shape.rest !== undefined) return;
    for (const [key, field] of Object.entries(shape.fields)) {
      add(key, path);
      if (!STEPS.includes(key)) walk(field, [...path, key]);
    }
  };
  walk(jobFileShape, []);
  for (const argument of ARGUMENTS) add(argument, ["jobs", "args"]);
  return found;
}

/** The place with the longest path in common with `here`; of two such places, the less deep one. */
function closest(paths: readonly Path[], here: Path): Path | undefined {
  const common = (path: Path): number => {
    const end = path.findIndex((key, i) => key !== here[i]);
    return end < 0 ? path.length : end;
  };
  const others = paths.filter((path) => path.join(".") !== here.join("."));
  return others.sort((a, b) => common(b) - common(a) || a.length - b.length)[0];
}

function inWords(path: Path, here: Path): string {
  const isBelow = here.length > 0 && here.every((key, i) => path[i] === key);
  if (isBelow) return `under "${path.slice(here.length).join(".")}"`;
  const [first, ...rest] = path;
  if (first === undefined) return "at the top level of the file";
  const owner = first === "jobs" ? "a job" : first === "todo" ? 'an item of "todo"' : undefined;
  if (owner === undefined) return `under "${path.join(".")}"`;
  return rest.length === 0 ? `in ${owner}` : `under "${rest.join(".")}" of ${owner}`;
}

const WORK: readonly string[] = ["script", "run", "command", "cmd", "shell", "bash"];

export function isWork(key: string, path: readonly string[]): boolean {
  return path.join(".") === "jobs" && WORK.includes(key);
}

/** Whether a job has its work only under unknown keys. */
export function hasNoWork(job: MapNode): boolean {
  const settings = child(job, "typeArgs");
  const work = ["exec", ...STEPS].map((key) => child(job, key));
  return [...work, child(settings, "file"), child(settings, "execRequire")].every((node) => node === undefined);
}

export function insteadOf(): string {
  return 'Write the script under "exec": it is JavaScript, or with "lang: shell" in the job a shell script.';
}

/** Keys that OpenAF's oJob has and ojm does not have, by the map that holds them. */
const OPENAF_KEYS: Readonly<Record<string, string>> = {
  ojob: `flags owraps loadLibs langs integrity debug id tags metrics checkStall timeInterval daemonFunc depsWait
    depsOnFail poolThreadFactor initTemplateEscape logOJob ignoreNoLog logLimit logHistory conAnsi conWidth showHelp`,
  "jobs.typeArgs": "pre pos langFn returnFn returnRE execJs execPy async cronCheck",
  "ojob.channels": "recordLog recordLogHistory expose list port host auth peers clusters log",
  "ojob.log": "level",
};

export const INSTEAD_OF_STATES: string =
  'set one by $set("state", "ready") in a script, and write "when" in the item of "todo": return $get("state") == "ready"';

/** Settings of a job in a program, and the job that a file has in their place. */
const INSTEAD_OF_SETTINGS: Readonly<Record<string, string>> = {
  once: 'to run a job once for an id, write "from: oJob Director checkin" with jobName and jobUUID',
  trigger: 'to run a job again with the newest data, call "oJob Queue Add" with unique: { key, replace: true }',
};

/** Why a key is rejected here: without it, the file would do something else. `undefined`: it is accepted. */
export function refusalOf(key: string, path: readonly string[]): string | undefined {
  const isSetting = path.join(".") === "jobs.typeArgs";
  if (key === "when" && isSetting) return `"when" belongs to OpenAF: ojm has no states: ${INSTEAD_OF_STATES}`;
  if (!Object.hasOwn(INSTEAD_OF_SETTINGS, key) || !(isSetting || path.join(".") === "jobs")) return undefined;
  return `a job file has no "${key}": ${INSTEAD_OF_SETTINGS[key]}`;
}

/** Whether OpenAF has this key at this place. Such a key is not a misspelling of one of ours. */
export function isOpenAfKey(key: string, path: readonly string[]): boolean {
  return OPENAF_KEYS[path.join(".")]?.split(/\s+/).includes(key) ?? false;
}
