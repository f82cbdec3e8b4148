import type { Args } from "../../../load/job-file.js";
import type { Log } from "../../../output/log.js";
import { applyChecks, type Check, type Checking } from "../../../plan/argument-checks/checks.js";
import type { PlannedJob } from "../../../plan/planned.js";
import type { Variables } from "../../../text/environment.js";
import { JobError } from "../../runtime/job-error.js";

/** The checks of a job's arguments, at their places among its steps. */
export class StepChecks {
  readonly #job: PlannedJob;
  readonly #checking: Omit<Checking, "what">;

  constructor(job: PlannedJob, variables: Variables, log: Pick<Log, "mask">) {
    this.#job = job;
    this.#checking = { variables, hide: (text) => log.mask(text) };
  }

  /**
   * Checks the arguments before the first step: what is wrong then starts nothing. Only an argument that is
   * missing may still come from a step of `from`.
   *
   * @throws JobError that names the argument and what is wrong with it
   */
  first(args: Args): Args {
    return this.#check(this.#job.checks.in, args, { what: "argument", awaited: this.#job.checks.late });
  }

  /**
   * Checks the arguments before the step of this number: `in` after the steps of `from`, `out` before those
   * of `to`, as in OpenAF.
   *
   * @throws JobError that names the argument and what is wrong with it
   */
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
