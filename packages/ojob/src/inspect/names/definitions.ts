import type { Args, JobFile } from "../../load/job-file.js";
import type { Plan } from "../../plan/planned.js";
import { jobsNamedIn } from "../../plan/shortcuts/walk.js";
import { readNames } from "./reading/read-names.js";
import type { Script } from "./scripts.js";

/** The names that a job file gives its scripts. */
export interface Names {
  readonly names: ReadonlySet<string>;
  /** Whether there may be more, which only a run shows. */
  readonly unknown: boolean;
}

/** Jobs that come with ojm and set the variable of `global` that one of these arguments names. */
const SETTERS: Readonly<Record<string, string>> = {
  "oJob Set": "name",
  "oJob Path Set": "name",
  "oJob Sort Array": "name",
  "oJob Args from JSON": "global",
  "oJob Args from YAML": "global",
};

/** Collects what `loads`, `init` and the scripts of a file define for all of its scripts. */
export function definitionsOf(file: JobFile, plan: Plan, scripts: readonly Script[]): Names {
  const names = new Set<string>(file.init === undefined ? [] : ["init"]);
  const loadedModules = plan.setup.loads.flatMap((load) => (typeof load === "string" && file.code.get(load)) || []);
  let unknown = false;
  const addAll = (more: Iterable<string>): void => {
    for (const name of more) names.add(name);
  };
  for (const script of scripts) {
    const read = readNames(script);
    if (read === undefined) continue;
    const { defined } = read.walk;
    addAll(defined.globals);
    const isLoaded = script.kind === "loaded" || loadedModules.includes(script.block);
    if (isLoaded) addAll(defined.exports);
    addAll(read.own);
    unknown ||= defined.unknownGlobals || (isLoaded && (defined.unknownExports || defined.evaluates));
  }
  addAll(setByJobs(file));
  return { names, unknown };
}

/** The variables that jobs of the file set through a job that comes with ojm. */
function setByJobs({ jobs, todo }: JobFile): string[] {
  const calls = [
    ...[...jobs.values()].flatMap(({ from, to, args }) => jobsNamedIn([...from, ...to]).map((job) => ({ job, args }))),
    ...todo.map(({ job, args }) => ({ job, args })),
  ];
  const all = [...jobs.values(), ...todo].flatMap(({ args }) => args);
  return calls.flatMap(({ job }) => {
    const argument = Object.hasOwn(SETTERS, job) ? SETTERS[job] : undefined;
    // The argument may come from whoever runs the job.
    return argument === undefined ? [] : all.flatMap((args: Args) => textIn(args, argument));
  });
}

function textIn(args: Args, argument: string): string[] {
  const value = args[argument];
  return typeof value === "string" ? [value] : [];
}
