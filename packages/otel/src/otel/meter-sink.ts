import type { Meter } from "@opentelemetry/api";
import { type Labels, METRICS, type Metric, type MetricKey, type Sink } from "../measure/metrics.js";

type Put = (value: number, labels: Labels) => void;

/** Passes all values to the instruments of a meter. */
export class MeterSink implements Sink {
  readonly #puts: ReadonlyMap<string, Put>;

  constructor(meter: Meter) {
    this.#puts = new Map(Object.entries(METRICS).map(([key, metric]) => [key, putOf(meter, metric)]));
  }

  put(metric: MetricKey, value: number, labels: Labels): void {
    this.#puts.get(metric)?.(value, labels);
  }
}

function putOf(meter: Meter, { name, kind, unit, text, buckets }: Metric): Put {
  const options = { unit, description: text };
  if (kind === "histogram") {
    const advice = buckets === undefined ? {} : { explicitBucketBoundaries: [...buckets] };
    const histogram = meter.createHistogram(name, { ...options, advice });
    return (value, labels) => histogram.record(value, labels);
  }
  const counter = kind === "counter" ? meter.createCounter(name, options) : meter.createUpDownCounter(name, options);
  return (value, labels) => counter.add(value, labels);
}
