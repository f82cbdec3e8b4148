import type { Clock } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import type { CodeBlock } from "../../load/job-file.js";
import type { PlannedJob } from "../../plan/planned.js";
import { failureText, toFailure } from "../../script/failure.js";
import type { FailureData } from "../../script/protocol.js";

/** The pause between two questions to `stopWhen`, in ms. */
const PAUSE = 250;

/** Ends the steps of a job at its `timeout`, or when its `stopWhen` returns true. */
export class Limits {
  readonly #end: (failure: FailureData) => void;
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();
  #over = false;

  /** `end` ends the steps. `ask` runs code beside them. */
  constructor(
    { name, typeArgs }: PlannedJob,
    end: (failure: FailureData) => void,
    ask: (code: CodeBlock) => Promise<unknown>,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#end = end;
    const { timeout, stopWhen } = typeArgs;
    if (timeout !== undefined) {
      const message = `"${name}" took longer than its timeout of ${durationText(timeout)}`;
      this.#after(timeout, () => end({ name: "JobError", message, code: "TIMEOUT" }));
    }
    if (stopWhen !== undefined) this.#after(PAUSE, () => void this.#watch(name, stopWhen, ask));
  }

  /** Lifts the limits: the steps are over. */
  lift(): void {
    this.#over = true;
    for (const cancel of this.#cancels) cancel();
  }

  async #watch(name: string, code: CodeBlock, ask: (code: CodeBlock) => Promise<unknown>): Promise<void> {
    let failure: FailureData | undefined;
    try {
      if ((await ask(code)) === true)
        failure = { name: "JobError", message: `the stopWhen of "${name}" ended it`, code: "CANCELLED" };
    } catch (error) {
      failure = { name: "JobError", message: `the stopWhen of "${name}" failed: ${failureText(toFailure(error))}` };
    }
    if (this.#over) return;
    if (failure === undefined) this.#after(PAUSE, () => void this.#watch(name, code, ask));
    else this.#end(failure);
  }

  #after(ms: number, callback: () => void): void {
    const cancel = this.#clock.after(
      ms,
      () => {
        this.#cancels.delete(cancel);
        callback();
      },
      true,
    );
    this.#cancels.add(cancel);
  }
}
