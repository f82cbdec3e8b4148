import type { Args, CodeBlock } from "../../load/job-file.js";
import type { Log } from "../../output/log.js";
import { fillArgs } from "../../plan/args.js";
import { applyChecks, type Check, type Checking } from "../../plan/argument-checks/checks.js";
import type { JobStep, PlannedJob } from "../../plan/planned.js";
import { expressionScript } from "../../plan/script.js";
import { placeAt } from "../../script/compile.js";
import type { Variables } from "../../text/environment.js";
import { isMap } from "../../text/template.js";
import type { Engine } from "../engine.js";
import { JobError, within } from "../runtime/job-error.js";

/** The arguments that a step gives to its job, with their templates and the `variables` around it filled. */
export async function givenBy(
  step: JobStep,
  job: PlannedJob,
  current: Args,
  engine: Engine,
  variables: Variables,
): Promise<Args> {
  const { args = {}, at } = step;
  if (Object.keys(args).length === 0) return {};
  return engine.placed(fillArgs(args, current, engine.missing(job.name, step), variables), args, at);
}

/** The arguments of the runs of a job whose `args` are code. Throws at the place of the code. */
export async function argsOfCode(
  code: CodeBlock,
  job: string,
  evaluate: (script: CodeBlock) => Promise<unknown>,
): Promise<readonly Args[]> {
  const value = await evaluate(expressionScript(code)).catch((error: unknown) => {
    throw within(code, error);
  });
  const maps: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (maps.every(isMap)) return maps;
  const message = `the "args" of "${job}" must be a map or a list of maps, not ${JSON.stringify(value) ?? "nothing"}`;
  throw new JobError(message, { at: placeAt(code, 0) });
}

/** The arguments that a step hands on: without its own, and with those that its own arguments hid. */
export function withoutOwn(result: Args, own: Args, before: Args): Args {
  const kept = Object.entries(result).filter(([name]) => !Object.hasOwn(own, name));
  const hidden = Object.entries(before).filter(([name]) => Object.hasOwn(own, name));
  return Object.fromEntries([...kept, ...hidden]);
}

/** The checks of a job's arguments, at their places among its steps. */
export class StepChecks {
  readonly #job: PlannedJob;
  readonly #checking: Omit<Checking, "what">;

  constructor(job: PlannedJob, variables: Variables, log: Pick<Log, "mask">) {
    this.#job = job;
    this.#checking = { variables, hide: (text) => log.mask(text) };
  }

  /** Checks the arguments before any step. Only a missing one may still come from a step of `from`. */
  first(args: Args): Args {
    return this.#check(this.#job.checks.in, args, { what: "argument", awaited: this.#job.checks.late });
  }

  /** Checks before the step of this number: `in` after those of `from`, `out` before those of `to`. */
  before(step: number, args: Args): Args {
    const { in: given, out, late, from, to } = this.#job.checks;
    const ready = late && step === from ? this.#check(given, args, { what: "argument" }) : args;
    return step === to ? this.#check(out, ready, { what: "result" }) : ready;
  }

  #check(checks: readonly Check[], args: Args, how: Pick<Checking, "what" | "awaited">): Args {
    try {
      return applyChecks(checks, args, { ...this.#checking, ...how });
    } catch (error) {
      throw new JobError((error as Error).message, { at: this.#job.at });
    }
  }
}
