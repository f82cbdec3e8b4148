import type { JobManager } from "@ojm/core";
import { isOwn } from "@ojm/core/internal";
import { LAST_SUCCESS } from "../measure/metrics.js";
import { gaugeText } from "./series.js";

/** The most jobs that have a sample: each is one time series, where the other metrics have dozens. */
export const MOST_JOBS = 1_000;

/** How long a scrape waits for the store, in ms. Prometheus waits for 10 s. */
const PATIENCE = 5_000;

const SECOND = 1_000;

/**
 * When each job of a store last completed, in any process: a function that resolves to the metric in the text
 * format, and never rejects. It reads the store for each scrape; scrapes at the same time share a read.
 *
 * While the store does not answer, the last known times are shown. An alert about a job that has not
 * completed for too long then fires, or continues; without a sample it would be resolved.
 *
 * `onLeftOut` is called for each read that left out jobs beyond {@link MOST_JOBS}.
 */
export function lastSuccesses(manager: JobManager, onLeftOut: () => void): () => Promise<string> {
  let known: ReadonlyMap<string, number> = new Map();
  let reading: Promise<void> | undefined;
  const read = async (): Promise<void> => {
    const found = new Map<string, number>();
    for await (const { name, endTime } of manager.lastSuccesses({ signal: AbortSignal.timeout(PATIENCE) })) {
      if (endTime === undefined || isOwn(name)) continue;
      if (found.size === MOST_JOBS) {
        onLeftOut();
        break;
      }
      found.set(name, endTime);
    }
    known = found;
  };
  return async () => {
    reading ??= read()
      .catch(() => {})
      .finally(() => {
        reading = undefined;
      });
    await reading;
    const values = [...known].map(([name, time]) => [{ "cicd.pipeline.name": name }, time / SECOND] as const);
    return gaugeText(LAST_SUCCESS, values);
  };
}
