import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import type { Args } from "../load/jobfile.js";
import { loadJobFile } from "../load/load.js";
import { type Plan, type PlannedJob, plan } from "../plan/plan.js";
import { commonArgs } from "../plan/setup.js";
import { describe, JobFileError } from "../problem.js";
import type { Engine } from "./engine.js";
import { JobError } from "./error.js";
import type { Stoppable } from "./running.js";

/**
 * Runs the other job file of a job of type `jobs`, with the arguments of that job as its command line. It shares the slots, channels
 * and job manager of the file that it is called from.
 *
 * @throws JobError unless all went well
 */
export async function runOtherFile(
  engine: Engine,
  job: PlannedJob,
  args: Args,
  onStart: (running: Stoppable) => void,
): Promise<void> {
  const path = otherFile(job);
  const circle = [...engine.files, path];
  if (engine.files.includes(path)) throw new JobError(`job files run each other in a circle: ${circle.join(" → ")}`);
  const { planned, common } = planFile(engine, path, args);
  engine.pool.prepare(planned.setup);
  const inner = engine.inside(planned, common, path);
  onStart(inner);
  if (!(await inner.run())) throw new JobError(`${shown(path)} did not go well`);
}

function planFile(engine: Engine, path: string, args: Args): { planned: Plan; common: Args } {
  try {
    const { file, problems } = loadJobFile(shown(path));
    const common = commonArgs(file, args);
    const planned = plan(file, common, problems);
    for (const warning of problems.warnings) engine.log.note(describe(warning));
    problems.throwErrors();
    return { planned, common };
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    throw new JobError(`${shown(path)} cannot be run:\n${error.message}`);
  }
}

/** Beside the job file, or in the current folder. */
function otherFile({ at, typeArgs }: PlannedJob): string {
  const name = typeArgs.file ?? "";
  const beside = resolve(dirname(at.source.path), name);
  return existsSync(beside) ? beside : resolve(name);
}

/** The path from the current folder, unless that climbs out of it. */
function shown(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}
