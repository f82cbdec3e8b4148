import { type MeterProvider, metrics, type TracerProvider, trace } from "@opentelemetry/api";
import { measure } from "../measure/measure.js";
import { MeterSink } from "./meter-sink.js";
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
  const stops = [measure(new MeterSink(meterProvider.getMeter(SCOPE))), spansOf(tracerProvider.getTracer(SCOPE))];
  return {
    close() {
      for (const stop of stops) stop();
    },
  };
}
