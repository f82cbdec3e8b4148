/** Metrics of ojm for Prometheus. Needs only Node. */
export { type Prometheus, type PrometheusOptions, prometheus } from "./prometheus/prometheus.js";
export { type MetricsServer, type ServeOptions, serveMetrics } from "./prometheus/serve.js";
