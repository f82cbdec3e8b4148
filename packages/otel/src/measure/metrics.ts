import type { RunStatus } from "@ojm/core";

/** A metric: its name, and what it counts. */
export interface Metric {
  /** By the conventions of OpenTelemetry. In Prometheus, its dots are underscores. */
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  /** `s`, or what is counted, such as `{run}`. */
  readonly unit: string;
  readonly text: string;
  /** The upper bounds of a histogram, in seconds. */
  readonly buckets?: readonly number[];
}

/** The metrics. */
export type MetricKey =
  | "runDuration"
  | "runActive"
  | "runErrors"
  | "lockWait"
  | "lockLost"
  | "renewal"
  | "tickDelay"
  | "ticks"
  | "logDropped"
  | "namesFolded";

/** From a fraction of a second to a day: jobs range from a poller to a nightly load. */
const RUN_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 1_800, 3_600, 10_800, 43_200, 86_400];

/** How long a tick or a waiter waits. */
const WAIT_BUCKETS = [0.01, 0.1, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3_600];

/** A session lives 15 s by default: a renewal that takes longer than 5 s endangers its locks. */
const STORE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

/** A histogram of seconds. `buckets`: its upper bounds. */
function histogram(name: string, text: string, buckets: readonly number[]): Metric {
  return { name, kind: "histogram", unit: "s", text, buckets };
}

function counter(name: string, unit: string, text: string): Metric {
  return { name, kind: "counter", unit, text };
}

/**
 * All metrics. OpenTelemetry has no conventions for jobs, so we use those for CI/CD: a job is a pipeline.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/cicd/cicd-metrics/
 */
export const METRICS: Readonly<Record<MetricKey, Metric>> = {
  runDuration: histogram("cicd.pipeline.run.duration", "How long runs took, by their result", RUN_BUCKETS),
  runActive: {
    name: "cicd.pipeline.run.active",
    kind: "gauge",
    unit: "{run}",
    text: "The runs in progress in this process",
  },
  runErrors: counter("cicd.pipeline.run.errors", "{error}", "Runs that ended in error, by their status"),
  lockWait: histogram("ojm.lock.wait.duration", "How long calls waited for a lock that was held", WAIT_BUCKETS),
  lockLost: counter("ojm.lock.lost", "{lock}", "Locks that their holder lost, or held for their whole timeout"),
  renewal: histogram(
    "ojm.session.renewal.duration",
    "How long the store took to renew the session that holds the locks of this process",
    STORE_BUCKETS,
  ),
  tickDelay: histogram("ojm.tick.delay", "How long after its tick a run began", WAIT_BUCKETS),
  ticks: counter("ojm.tick.decided", "{tick}", "Ticks that this process decided, by outcome"),
  logDropped: counter(
    "ojm.log.dropped",
    "{line}",
    "Lines of logs that were dropped because the store was away or slow",
  ),
  namesFolded: counter(
    "ojm.names.folded",
    "{value}",
    "Values that were counted under the name _other because there are too many names of jobs",
  ),
};

/** Read from the store, for Prometheus alone: the events of this process do not cover other processes. */
export const LAST_SUCCESS: Metric = {
  name: "ojm.job.last_success.timestamp",
  kind: "gauge",
  unit: "s",
  text: "When the last completed run of each job ended, in any process, since 1970",
};

/** The labels of a value, from small sets: the number of names is bounded, and none holds an id. */
export type Labels = Readonly<Record<string, string>>;

/** The destination of values: OpenTelemetry, or the text of Prometheus. */
export interface Sink {
  /** Adds to a counter or gauge, or records the value of a histogram. */
  put(metric: MetricKey, value: number, labels: Labels): void;
}

/** The results of the CI/CD conventions, by the status of a run. */
const RESULTS = {
  completed: "success",
  skipped: "skip",
  failed: "failure",
  timeout: "timeout",
  cancelled: "cancellation",
  lost: "error",
} as const satisfies Readonly<Record<Exclude<RunStatus, "running">, string>>;

/** The result of a run that has ended. */
export function resultOf(status: RunStatus): string {
  return status === "running" ? "error" : RESULTS[status];
}
