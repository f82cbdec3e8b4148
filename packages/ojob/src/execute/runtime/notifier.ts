import type { Alerts, Rule } from "@ojm/alerts";
import type { Clock, JobManager } from "@ojm/core";
import type { Log } from "../../output/log.js";

/** How long the end of a job file waits for its alerts, in ms. What is left then waits in the store. */
const WAIT = 10_000;

/** Tells receivers how the runs of the job manager went, by the rules of `ojob.notify`. */
export class Notifier {
  readonly #rules: readonly Rule[];
  readonly #clock: Clock;
  readonly #log: Pick<Log, "line">;
  #alerts: Alerts | undefined;

  constructor(rules: readonly Rule[], clock: Clock, log: Pick<Log, "line">) {
    this.#rules = rules;
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins. Rejects if a receiver needs a package that is missing, or if the store cannot keep alerts. */
  async open(manager: JobManager): Promise<void> {
    const { openAlerts } = await import("@ojm/alerts");
    try {
      this.#alerts = await openAlerts(manager, { rules: this.#rules, clock: this.#clock });
    } catch (error) {
      const message = (error as Error).message.replace(/^rules\[/, "notify[");
      throw new Error(`the alerts of "notify" cannot be opened: ${message}`, { cause: error });
    }
  }

  /** Delivers what the runs of this process caused, for a while, and says if something is left. */
  async close(): Promise<void> {
    const alerts = this.#alerts;
    if (alerts === undefined) return;
    this.#alerts = undefined;
    await alerts.close({ wait: WAIT });
    const left = await alerts.waiting().catch(() => undefined);
    if (left === 0) return;
    const what = left === undefined ? "alerts may wait" : left === 1 ? "1 alert waits" : `${left} alerts wait`;
    this.#log.line("WARN", `${what} in the store: the next process with the rules of this file delivers what is left`);
  }
}
