/**
 * Metrics and spans of ojm for OpenTelemetry. For Prometheus without OpenTelemetry, see
 * `@ojm/otel/prometheus`.
 */
export { openTelemetry, type Telemetry, type TelemetryOptions } from "./otel/telemetry.js";
