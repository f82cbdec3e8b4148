/** Metrics and spans of ojm for OpenTelemetry. Without it, see `@ojm/otel/prometheus`. */
export { type InstrumentOptions, instrument } from "./otel/instrument.js";
