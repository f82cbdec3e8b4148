import type { Args } from "../../load/job-file.js";
import { JOB_START } from "../manager/manager-args.js";
import { firstDoing, timeoutOf, wrongRunArgs } from "../manager/run-args.js";
import { eachStart, type Start } from "../manager/starts.js";
import type { PlannedJob } from "../planned.js";

/** The longest name of a schedule, in characters. */
const LONGEST_NAME = 200;

/** The start of a run that a job makes before any script. */
export interface KnownStart {
  /** The name of the lock. */
  readonly name: string;
  /** The longest time of the run, in ms, if the arguments say it. */
  readonly timeout: number | undefined;
}

/** What a job is looked up in. */
export interface KnownIn {
  readonly jobs: ReadonlyMap<string, PlannedJob>;
  readonly commandLine: Args;
}

/** The arguments of the job itself that its runs have: each of them is one run, or more. */
export function ownArgs({ args }: Pick<PlannedJob, "args">): readonly Args[] {
  return args.length > 0 ? args : [{}];
}

/**
 * The start of a run with which a job begins, with these arguments; `undefined` if it begins otherwise, or if
 * a script decides the name.
 */
export function knownStart(
  job: PlannedJob,
  { own, given }: { readonly own: Args; readonly given: Args },
  { jobs, commandLine }: KnownIn,
): KnownStart | undefined {
  if (firstDoing(JOB_START, job.name, jobs) !== "it") return undefined;
  const starts: Start[] = [];
  const visit = (start: Start): void => void starts.push(start);
  eachStart({ ...job, args: [own] }, given, () => job.at, { jobs, commandLine, visit });
  const [first] = starts;
  if (first === undefined || wrongRunArgs(first.args) !== undefined) return undefined;
  const name = String(first.args["name"]);
  const timeout = timeoutOf(first.args);
  if (name.length > LONGEST_NAME) return undefined;
  return { name, timeout: typeof timeout === "number" ? timeout : undefined };
}
