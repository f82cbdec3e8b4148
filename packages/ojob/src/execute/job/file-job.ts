import { relative } from "node:path";
import type { Args } from "../../load/job-file.js";
import type { RunsAround } from "../../output/job-output.js";
import type { Environment } from "../../plan/environment.js";
import type { PlannedJob } from "../../plan/planned.js";
import { type Prepared, prepareJobFile } from "../../prepare.js";
import { misplaced, missingFile, saidPath } from "../../text/files.js";
import { describe, JobFileError } from "../../text/problem.js";
import type { Engine } from "../engine.js";
import type { Stoppable } from "../execution.js";
import { JobError } from "../runtime/job-error.js";

/** Runs the file of a job of type `jobs` in its environment, with its arguments as the command line. */
export async function runOtherFile(
  engine: Engine,
  job: Pick<PlannedJob, "at" | "typeArgs">,
  args: Args,
  environment: Environment,
  around: RunsAround,
  onStart: (running: Stoppable) => unknown,
): Promise<void> {
  const name = String(job.typeArgs.file ?? "");
  const path = saidPath(name, job.at);
  if (misplaced(name, path) !== undefined) {
    throw new JobError(`${shown(path)} cannot be run:\nerror: ${missingFile(name, job.at)}`);
  }
  const cycle = [...engine.files, path];
  if (engine.files.includes(path)) throw new JobError(`job files run each other in a cycle: ${cycle.join(" → ")}`);
  const { plan, args: common } = await prepareInner(engine, path, args, environment);
  engine.log.hide(plan.secrets.values);
  engine.runtime.managers.expect(plan);
  engine.pool.prepare(plan.setup);
  const inner = engine.inside(plan, common, path, around);
  onStart(inner);
  const takeBack = engine.dispatch.lend(0);
  const well = await inner.run().finally(takeBack);
  if (!well) throw new JobError(`${shown(path)} failed`);
}

async function prepareInner(engine: Engine, path: string, args: Args, environment: Environment): Promise<Prepared> {
  try {
    const prepared = await prepareJobFile(shown(path), { args, purpose: "inner", environment });
    for (const warning of prepared.warnings) engine.log.note(describe(warning));
    if (prepared.plan.notify !== undefined) {
      engine.log.note(
        `warning: "notify" of ${shown(path)} has no effect: only that of the file that is run first counts.`,
      );
    }
    return prepared;
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    throw new JobError(`${shown(path)} cannot be run:\n${error.message}`);
  }
}

function shown(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}
