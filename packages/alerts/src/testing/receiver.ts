// Modules that alerts load at their first check take real time, which a test clock does not see.
import "@ojm/schedule";
import "@ojm/schedule/operator";
import type { Outcome, Send } from "../deliver/outcome.js";
import type { Alert } from "../types.js";

/** A receiver in memory. `answer` decides what it does with an alert. */
export class FakeReceiver {
  /** Every alert that arrived, even those that it did not take. */
  readonly tried: Alert[] = [];
  readonly taken: Alert[] = [];
  answer: (alert: Alert) => Outcome | Promise<Outcome> = () => ({ type: "taken" });

  readonly send: Send = async (_to, alert) => {
    this.tried.push(alert);
    const outcome = await this.answer(alert);
    if (outcome.type === "taken") this.taken.push(alert);
    return outcome;
  };

  /** The alerts that it took, each as `kind job`. */
  get reported(): string[] {
    return this.taken.map(({ kind, name }) => `${kind} ${name}`);
  }
}
