/** Metrics of ojm for Prometheus. Needs only Node. */
export { openPrometheus, type Prometheus, type PrometheusOptions } from "./prometheus/prometheus.js";
export { type MetricsServer, type MetricsServerOptions, openMetricsServer } from "./prometheus/serve.js";
