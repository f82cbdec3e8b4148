import { type MeterProvider, metrics, type TracerProvider, trace } from "@opentelemetry/api";
import { measure } from "../measure/measure.js";
import { MeterSink } from "./meter-sink.js";
import { spansOf } from "./spans.js";

const SCOPE = "@ojm/otel";

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Default: the global one of `@opentelemetry/api`. */
  readonly meterProvider?: MeterProvider;
  /** Default: the global one of `@opentelemetry/api`. */
  readonly tracerProvider?: TracerProvider;
}

/**
 * Gives OpenTelemetry metrics and a span of each run of this process, from now on. Call the result to stop.
 * Set up the SDK first.
 *
 * @example
 * import { instrument } from "@ojm/otel";
 * const dispose = instrument();
 */
export function instrument({
  meterProvider = metrics.getMeterProvider(),
  tracerProvider = trace.getTracerProvider(),
}: InstrumentOptions = {}): () => void {
  const stops = [measure(new MeterSink(meterProvider.getMeter(SCOPE))), spansOf(tracerProvider.getTracer(SCOPE))];
  return () => {
    for (const stop of stops) stop();
  };
}
