import type { RunRecord } from "@ojm/core";
import { listen } from "./listen.js";
import { type Labels, resultOf, type Sink } from "./metrics.js";

/** The most names of jobs that have values of their own. */
export const MOST_NAMES = 200;

/** The name that counts all jobs beyond {@link MOST_NAMES}. */
const OTHER = "_other";

const SECOND = 1_000;

/** The statuses that are errors, and the codes of a lost lock. */
const IN_ERROR = ["failed", "timeout", "lost"] as const satisfies RunRecord["status"][];
const LOSSES = ["lost", "timeout"];

/** Measures the events of this process, from now on. Call the result to stop. */
export function measure(sink: Sink): () => void {
  const names = new Set<string>();
  /**
   * Labels a bounded number of names: each is a permanent time series in every metric, and names that contain
   * a customer or a date would fill the memory of this process and of Prometheus.
   */
  const named = (name: string): Labels => {
    if (names.size < MOST_NAMES) names.add(name);
    if (names.has(name)) return { "cicd.pipeline.name": name };
    sink.put("namesFolded", 1, {});
    return { "cicd.pipeline.name": OTHER };
  };
  /** The runs that started since we listen, with their labels. Only these reduce the gauge when they end. */
  const active = new Map<string, Labels>();

  const begun = new Set<string>();
  /** Counts every failure from 0 on: a counter that appears with its first failure shows no increase. */
  const begin = (labels: Labels): void => {
    const label = labels["cicd.pipeline.name"] ?? "";
    if (begun.has(label)) return;
    begun.add(label);
    for (const status of IN_ERROR) sink.put("runErrors", 0, { ...labels, "error.type": status });
    for (const code of LOSSES) sink.put("lockLost", 0, { ...labels, "error.type": code });
  };

  const started = ({ id, name, delay, attempt = 1 }: RunRecord): void => {
    const labels = named(name);
    begin(labels);
    active.set(id, labels);
    sink.put("runActive", 1, { ...labels, "cicd.pipeline.run.state": "executing" });
    // A later attempt has the delay of the attempts before it.
    if (delay !== undefined && attempt === 1) sink.put("tickDelay", delay / SECOND, labels);
  };

  const ended = ({ id, name, status, duration = 0, inError = false }: RunRecord): void => {
    const own = active.get(id);
    const labels = own ?? named(name);
    active.delete(id);
    if (own !== undefined) sink.put("runActive", -1, { ...own, "cicd.pipeline.run.state": "executing" });
    const result = { ...labels, "cicd.pipeline.result": resultOf(status) };
    sink.put("runDuration", duration / SECOND, inError ? { ...result, "error.type": status } : result);
    if (inError) sink.put("runErrors", 1, { ...labels, "error.type": status });
  };

  return listen({
    "ojm:schedule:added": ({ schedule }) => begin(named(schedule)),
    "ojm:run:started": ({ record }) => started(record),
    "ojm:run:ended": ({ record }) => ended(record),
    "ojm:lock:lost": ({ name, code }) => sink.put("lockLost", 1, { ...named(name), "error.type": code.toLowerCase() }),
    "ojm:lock:waited": ({ name, duration, taken }) => {
      sink.put("lockWait", duration / SECOND, { ...named(name), "ojm.lock.taken": String(taken) });
    },
    "ojm:session:renewal": ({ duration, ok }) => {
      sink.put("renewal", duration / SECOND, { "ojm.session.renewed": String(ok) });
    },
    "ojm:log:dropped": ({ lines }) => sink.put("logDropped", lines, {}),
    "ojm:tick": ({ schedule, outcome, reason, count = 1 }) => {
      const why = reason === undefined ? {} : { "ojm.tick.reason": reason };
      sink.put("ticks", count, { ...named(schedule), "ojm.tick.outcome": outcome, ...why });
    },
  });
}
