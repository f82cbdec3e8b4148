import { type Meter, type MeterProvider, metrics, type TracerProvider, trace } from "@opentelemetry/api";
import { measure } from "../measure/measure.js";
import { type Labels, METRICS, type Metric, type Sink } from "../measure/metrics.js";
import { spansOf } from "./spans.js";

const SCOPE = "@ojm/otel";

/** Options of {@link openTelemetry}. */
export interface TelemetryOptions {
  /** Default: the global one of `@opentelemetry/api`. */
  readonly meterProvider?: MeterProvider;
  /** Default: the global one of `@opentelemetry/api`. */
  readonly tracerProvider?: TracerProvider;
}

/** The telemetry of this process. */
export interface Telemetry {
  /** Stops measuring. */
  close(): void;
}

/**
 * Gives OpenTelemetry metrics and a span of each run of this process, from now on. Set up the SDK first.
 *
 * @example
 * import { openTelemetry } from "@ojm/otel";
 * const telemetry = openTelemetry();
 */
export function openTelemetry({
  meterProvider = metrics.getMeterProvider(),
  tracerProvider = trace.getTracerProvider(),
}: TelemetryOptions = {}): Telemetry {
  const stops = [measure(meterSink(meterProvider.getMeter(SCOPE))), spansOf(tracerProvider.getTracer(SCOPE))];
  return {
    close() {
      for (const stop of stops) stop();
    },
  };
}

/** Passes all values to the instruments of a meter. */
function meterSink(meter: Meter): Sink {
  const puts = new Map<string, Put>(Object.entries(METRICS).map(([key, metric]) => [key, putOf(meter, metric)]));
  return { put: (metric, value, labels) => puts.get(metric)?.(value, labels) };
}

type Put = (value: number, labels: Labels) => void;

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
