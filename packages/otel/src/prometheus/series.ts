import { type Labels, METRICS, type Metric, type MetricKey, type Sink } from "../measure/metrics.js";

/** A time series: a metric with one set of labels. */
interface Series {
  readonly labels: string;
  value: number;
  count: number;
  /** For each bound: how many values are at most that bound and above the one before. */
  readonly buckets: number[];
}

/** Keeps all values in memory, and writes them in the text format of Prometheus. */
export class SeriesSink implements Sink {
  readonly #series: Map<MetricKey, Map<string, Series>> = new Map();

  put(key: MetricKey, value: number, labels: Labels): void {
    const metric: Metric = METRICS[key];
    const text = labelText(labels);
    const all = this.#series.get(key) ?? new Map<string, Series>();
    const one = all.get(text) ?? newSeries(text, metric);
    if (one.count === 0) this.#series.set(key, all.set(text, one));
    one.value += value;
    one.count++;
    const bucket = metric.buckets?.findIndex((most) => value <= most) ?? -1;
    if (bucket >= 0) one.buckets[bucket] = (one.buckets[bucket] ?? 0) + 1;
  }

  /** The text format, version 0.0.4. Metrics without labels are present from the start, as zero. */
  text(): string {
    return (Object.entries(METRICS) as [MetricKey, Metric][])
      .map(([key, metric]) => textOf(metric, [...(this.#series.get(key)?.values() ?? [])]))
      .join("");
  }
}

/** The text of a gauge whose values are computed elsewhere. */
export function gaugeText(metric: Metric, values: readonly (readonly [Labels, number])[]): string {
  return textOf(
    metric,
    values.map(([labels, value]) => ({ ...newSeries(labelText(labels), metric), value })),
  );
}

function newSeries(labels: string, { buckets = [] }: Metric): Series {
  return { labels, value: 0, count: 0, buckets: buckets.map(() => 0) };
}

/** The name of a metric in Prometheus: with its unit, and `_total` if it is a counter. */
export function prometheusName({ name, kind, unit }: Metric): string {
  const base = name.replaceAll(".", "_") + (unit === "s" ? "_seconds" : "");
  return kind === "counter" ? `${base}_total` : base;
}

/** The name of a job may be any text. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name.replaceAll(".", "_")}="${escaped(value)}"`)
    .sort()
    .join(",");
}

const braced = (...parts: readonly string[]): string => {
  const all = parts.filter((part) => part !== "").join(",");
  return all === "" ? "" : `{${all}}`;
};

function textOf(metric: Metric, series: readonly Series[]): string {
  const name = prometheusName(metric);
  const head = `# HELP ${name} ${metric.text}\n# TYPE ${name} ${metric.kind}\n`;
  if (metric.kind === "histogram") return head + series.map((one) => histogramText(name, metric, one)).join("");
  const bare = metric === METRICS.namesFolded || metric === METRICS.logDropped;
  const all = bare && series.length === 0 ? [newSeries("", metric)] : series;
  return head + all.map(({ labels, value }) => `${name}${braced(labels)} ${value}\n`).join("");
}

function histogramText(
  name: string,
  { buckets = [] }: Metric,
  { labels, value, count, buckets: counts }: Series,
): string {
  let below = 0;
  const lines = buckets.map((most, i) => {
    below += counts[i] ?? 0;
    return `${name}_bucket${braced(labels, `le="${most}"`)} ${below}\n`;
  });
  const infinity = `${name}_bucket${braced(labels, 'le="+Inf"')} ${count}\n`;
  return `${lines.join("")}${infinity}${name}_sum${braced(labels)} ${value}\n${name}_count${braced(labels)} ${count}\n`;
}
