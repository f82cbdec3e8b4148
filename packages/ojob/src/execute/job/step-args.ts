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
export async function givenBy(step: JobStep, current: Args, engine: Engine, variables: Variables): Promise<Args> {
  const { args = {}, at } = step;
  if (Object.keys(args).length === 0) return {};
  return engine.placed(fillArgs(args, current, engine.missing(step.job, step), variables), args, at);
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

/**
 * Checks arguments and fills in their defaults. `first`: before any step, else before the step of a number.
 */
type CheckArgs = (step: "first" | number, args: Args) => Args;

/**
 * The checks of a job's arguments: `in` at first and after the steps of `from`, `out` before those of `to`.
 */
export function stepChecks({ checks, at }: PlannedJob, variables: Variables, log: Pick<Log, "mask">): CheckArgs {
  const check = (some: readonly Check[], args: Args, how: Pick<Checking, "what" | "awaited">): Args => {
    try {
      return applyChecks(some, args, { variables, hide: (text) => log.mask(text), ...how });
    } catch (error) {
      throw new JobError((error as Error).message, { at });
    }
  };
  const { in: given, out, late, from, to } = checks;
  return (step, args) => {
    // Only a missing argument may still come from a step of `from`.
    if (step === "first") return check(given, args, { what: "argument", awaited: late });
    const ready = late && step === from ? check(given, args, { what: "argument" }) : args;
    return step === to ? check(out, ready, { what: "result" }) : ready;
  };
}
