import type { Alerts } from "@ojm/alerts";
import type { Clock, JobManager } from "@ojm/core";
import type { PlannedNotify } from "../../plan/planned.js";

/** How long the end of a process waits for its alerts, in ms. Undelivered alerts stay in the store. */
const CLOSE_TIMEOUT = 10_000;

export class Notifier {
  readonly #notify: PlannedNotify;
  readonly #clock: Clock;
  readonly #warn: (text: string) => void;
  #alerts: Alerts | undefined;

  constructor(notify: PlannedNotify, clock: Clock, warn: (text: string) => void) {
    this.#notify = notify;
    this.#clock = clock;
    this.#warn = warn;
  }

  /** Begins. Rejects if a receiver needs a package that is missing, or if the store cannot keep alerts. */
  async open(manager: JobManager): Promise<void> {
    const { openAlerts } = await import("@ojm/alerts");
    try {
      this.#alerts = await openAlerts(manager, { ...this.#notify, clock: this.#clock });
    } catch (error) {
      const message = (error as Error).message.replace(/^rules\[/, "notify[");
      throw new Error(`the alerts of "notify" cannot be opened: ${message}`, { cause: error });
    }
  }

  /** Delivers the alerts of this process, for a limited time, and warns if some are left. */
  async close(): Promise<void> {
    const alerts = this.#alerts;
    if (alerts === undefined) return;
    this.#alerts = undefined;
    await alerts.close({ wait: CLOSE_TIMEOUT });
    const left = await alerts.waiting().catch(() => undefined);
    if (left === 0) return;
    const what = left === undefined ? "alerts may wait" : left === 1 ? "1 alert waits" : `${left} alerts wait`;
    this.#warn(`${what} in the store: the next process with the same rules delivers what is left`);
  }
}
