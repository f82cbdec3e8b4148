import type { JobManager } from "@ojm/core";
import { isOwn } from "@ojm/core/internal";
import { LAST_SUCCESS, type Labels } from "../measure/metrics.js";
import { gaugeText } from "./series.js";

/** The most jobs that have a sample: each is one time series, where the other metrics have dozens. */
export const MOST_JOBS = 1_000;

/** How long a scrape waits for the store, in ms. Prometheus waits for 10 s. */
const PATIENCE = 5_000;

const SECOND = 1_000;

/**
 * When each job of a store last completed, in any process. It is read from the store for each scrape; scrapes
 * at the same time share a read.
 *
 * While the store does not answer, the last known times are shown. An alert about a job that has not
 * completed for too long then fires, or continues; without a sample it would be resolved.
 */
export class LastSuccesses {
  readonly #manager: JobManager;
  readonly #onLeftOut: () => void;
  #known: ReadonlyMap<string, number> = new Map();
  #reading: Promise<void> | undefined;

  /** `onLeftOut` is called for each read that left out jobs beyond {@link MOST_JOBS}. */
  constructor(manager: JobManager, onLeftOut: () => void) {
    this.#manager = manager;
    this.#onLeftOut = onLeftOut;
  }

  /** The metric in the text format. Never rejects. */
  async text(): Promise<string> {
    this.#reading ??= this.#read()
      .catch(() => {})
      .finally(() => {
        this.#reading = undefined;
      });
    await this.#reading;
    const values = [...this.#known].map(([name, time]): [Labels, number] => [
      { "cicd.pipeline.name": name },
      time / SECOND,
    ]);
    return gaugeText(LAST_SUCCESS, values);
  }

  async #read(): Promise<void> {
    const found = new Map<string, number>();
    for await (const { name, endTime } of this.#manager.lastSuccesses({ signal: AbortSignal.timeout(PATIENCE) })) {
      if (endTime === undefined || isOwn(name)) continue;
      if (found.size === MOST_JOBS) {
        this.#onLeftOut();
        break;
      }
      found.set(name, endTime);
    }
    this.#known = found;
  }
}
