/** A sample of a Prometheus scrape. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of a metric in a scrape. */
export interface Family {
  readonly type: string;
  readonly samples: readonly Sample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\+Inf|-Inf|NaN|-?[0-9.]+(?:e[+-]?[0-9]+)?)$`,
);

/**
 * Reads the text format strictly: HELP, then TYPE, then the samples of one metric at a time; each sample
 * once; buckets that grow, end with +Inf, and agree with the count.
 *
 * @throws for a text that Prometheus may reject
 */
export function parseScrape(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, { type: string; samples: Sample[] }>();
  let current = "";
  let helped = "";
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split("\n")) {
    const [, help] = new RegExp(`^# HELP (${NAME}) .+$`).exec(line) ?? [];
    const [, typed, type = ""] = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line) ?? [];
    if (help !== undefined) helped = help;
    else if (typed !== undefined) {
      if (helped !== typed) throw new Error(`${typed} has a TYPE without a HELP before it`);
      if (families.has(typed)) throw new Error(`${typed} comes twice`);
      families.set(typed, { type, samples: [] });
      current = typed;
    } else {
      const sample = parseSample(line);
      const family = families.get(current);
      const base = family?.type === "histogram" ? sample.name.replace(/_(bucket|sum|count)$/, "") : sample.name;
      if (family === undefined || base !== current) throw new Error(`${sample.name} is not of ${current}`);
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (seen.has(key)) throw new Error(`a sample comes twice: ${line}`);
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const [name, family] of families) if (family.type === "histogram") checkHistogram(name, family.samples);
  return families;
}

function parseSample(line: string): Sample {
  const [, name, labels = "", value = ""] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`this is not a line of the format: ${line}`);
  const pairs = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)];
  const unescaped = (text: string): string => text.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
  const all = Object.fromEntries(pairs.map(([, key = "", text = ""]) => [key, unescaped(text)]));
  if (Object.keys(all).length !== pairs.length) throw new Error(`a label comes twice: ${line}`);
  return { name, labels: all, value: Number(value.replace("Inf", "Infinity")) };
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [key, all] of series) {
    const buckets = all.filter((one) => one.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le = "" } }) => Number(le.replace("+Inf", "Infinity")));
    const counts = buckets.map(({ value }) => value);
    const rises = (numbers: readonly number[]): boolean =>
      numbers.every((one, i) => i === 0 || one >= (numbers[i - 1] ?? 0));
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || !rises(bounds) || !rises(counts))
      throw new Error(`the buckets of ${name} ${key} are out of order`);
    const count = all.find((one) => one.name === `${name}_count`)?.value;
    if (count !== counts.at(-1)) throw new Error(`the count of ${name} ${key} is not that of its buckets`);
    if (!all.some((one) => one.name === `${name}_sum`)) throw new Error(`${name} ${key} has no sum`);
  }
}
