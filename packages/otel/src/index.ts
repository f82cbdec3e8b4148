/**
 * Metrics and spans of ojm for OpenTelemetry. For Prometheus without OpenTelemetry, see
 * `@ojm/otel/prometheus`.
 */
export { type InstrumentOptions, instrument } from "./otel/instrument.js";
