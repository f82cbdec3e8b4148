import type { Args } from "../../load/job-file.js";
import type { Position } from "../../text/problem.js";
import { fillArgs, mergeArgs, stayingArgs } from "../args.js";
import { type Environment, environmentOf } from "../environment/environment.js";
import type { PlannedJob } from "../planned.js";
import { JOB_START } from "./manager-args.js";

/** Where an argument stands. */
export type PlaceOf = (argument: string) => Position;

/** A start of a run by the job manager, as far as its arguments are known before any script has run. */
export interface Start {
  readonly args: Args;
  readonly placeOf: PlaceOf;
  /** The job that has the start among its steps checks its arguments, which may set defaults. */
  readonly checked: boolean;
  /** The same of a job that this job is a step of. */
  readonly checkedAbove: boolean;
}

/** What a walk through the steps of a job needs. */
export interface StartsContext {
  readonly jobs: ReadonlyMap<string, PlannedJob>;
  readonly commandLine: Args;
  readonly visit: (start: Start) => void;
}

/**
 * Visits the starts of runs among the steps of a job, each with the arguments that it gets: every step has
 * its own. Goes no further where a script or a shortcut may have changed them.
 */
export function eachStart(job: PlannedJob, given: Args, placeOf: PlaceOf, context: StartsContext): void {
  const way = { given, placeOf, checked: false, environment: undefined, known: new Map<string, boolean>() };
  // Each of them is a run of its own: what a script of one changes, the next does not see.
  for (const own of ownArgs(job)) walkWith(job, own, way, context);
}

function ownArgs({ args }: PlannedJob): readonly Args[] {
  return args.length > 0 ? args : [{}];
}

/** How a walk comes to a job. */
interface Way {
  readonly given: Args;
  readonly placeOf: PlaceOf;
  /** A job above checks its arguments. */
  readonly checked: boolean;
  /** The environment of the job that this one is a step of. */
  readonly environment: Environment | undefined;
  /** What came of each job and its arguments: a job that is a step many times is looked at once. */
  readonly known: Map<string, boolean>;
}

/** Visits the starts of a job that is a step. False once its arguments may have been changed. */
function walk(job: PlannedJob, way: Way, context: StartsContext): boolean {
  const key = JSON.stringify([job.name, way.checked, way.given, way.environment?.added]);
  const known = way.known.get(key);
  if (known !== undefined) return known;
  const result = ownArgs(job).every((own) => walkWith(job, own, way, context));
  way.known.set(key, result);
  return result;
}

function walkWith(job: PlannedJob, own: Args, way: Way, context: StartsContext): boolean {
  const { jobs, commandLine, visit } = context;
  if (job.argsCode !== undefined) return false;
  const environment = environmentOf(job, way.environment);
  const variables = environment.all;
  let args = mergeArgs({ own, given: way.given, commandLine, secrets: job.secretArgs, variables }, () => {});
  const placeOf: PlaceOf = (argument) =>
    Object.hasOwn(own, argument) ? (job.argsAt[argument] ?? job.at) : way.placeOf(argument);
  const checked = job.checks.in.length > 0;
  const start = (): Start => ({ args, placeOf: placeOfStaying, checked, checkedAbove: way.checked });
  const stayed = new Map<string, Position>();
  const placeOfStaying: PlaceOf = (argument) => stayed.get(argument) ?? placeOf(argument);
  if (job.name === JOB_START) visit(start());
  return job.steps.every((step) => {
    if (!("job" in step)) return false;
    if (step.job === JOB_START) {
      visit(start());
      return true;
    }
    const inner = jobs.get(step.job);
    if (inner === undefined) return true;
    const { args: more = {}, argsAt = {} } = step;
    const given = { ...args, ...fillArgs(more, args, () => {}, variables) };
    const placeOfInner: PlaceOf = (argument) => argsAt[argument] ?? placeOfStaying(argument);
    const further = { given, placeOf: placeOfInner, checked: checked || way.checked, environment, known: way.known };
    if (!walk(inner, further, context)) return false;
    const merged = fillArgs(inner.args[0] ?? {}, given, () => {}, variables);
    for (const name of stayingArgs(inner, args)) {
      args = { ...args, [name]: merged[name] };
      stayed.set(name, inner.argsAt[name] ?? inner.at);
    }
    return true;
  });
}
