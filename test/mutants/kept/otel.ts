import type { Kept } from "../types.js";
import { of } from "./rows.js";

const tests = ["packages/otel/src/prometheus/prometheus.test.ts"];

/** What is kept of the metrics. */
export const otel: Kept = {
  named: [
    ...of("packages/otel/src/prometheus/prometheus.ts", tests, [
      "OT01 ready while renewals fail",
      "isRenewed = ok;",
      "isRenewed = ok || true;",
      "a process that is about to lose its locks still gets work",
    ]),
    ...of("packages/otel/src/measure/measure.ts", tests, [
      "OT02 a retry counts as a late tick",
      "delay !== undefined && attempt === 1",
      "delay !== undefined",
      "an alert on late ticks goes off for each failed run",
    ]),
    ...of("packages/otel/src/prometheus/series.ts", tests, [
      "OT03 a bound is not in its bucket",
      "value <= most",
      "value < most",
      "quantiles are too high",
    ]),
  ],
  equivalent: [],
  slow: [],
  last: [],
};
