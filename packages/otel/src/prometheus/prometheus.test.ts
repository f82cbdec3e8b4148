import { channel, hasSubscribers } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { openTestManager } from "@ojm/core/testing";
import { openScheduler } from "@ojm/schedule";
import { describe, expect, onTestFinished, test } from "vitest";
import { MOST_NAMES } from "../measure/measure.js";
import { METRICS } from "../measure/metrics.js";
import { type Family, parseScrape, type Sample } from "../testing/parse.js";
import { everything } from "../testing/week.js";
import { openPrometheus, type Prometheus, type PrometheusOptions } from "./prometheus.js";
import { prometheusName, SeriesSink } from "./series.js";
import { type MetricsServerOptions, openMetricsServer } from "./serve.js";

function opened(options: PrometheusOptions = {}): Prometheus {
  const metrics = openPrometheus(options);
  onTestFinished(() => metrics.close());
  return metrics;
}

async function scraped(): Promise<ReadonlyMap<string, Family>> {
  const metrics = opened();
  await everything();
  return parseScrape(await metrics.text());
}

/** The samples with this name, and of this job. */
function samples(all: ReadonlyMap<string, Family>, family: string, name: string, job?: string): Sample[] {
  const found = all.get(family)?.samples.filter((one) => one.name === name) ?? [];
  return found.filter(({ labels }) => job === undefined || labels["cicd_pipeline_name"] === job);
}

const DURATION = "cicd_pipeline_run_duration_seconds";

describe("the metrics of Prometheus", () => {
  test("have a text that a strict parser reads, before anything happened too", async () => {
    const names = Object.values(METRICS).map(prometheusName);
    expect([...parseScrape(await opened().text()).keys()]).toEqual(names);
    expect([...(await scraped()).keys()]).toEqual(names);
  });

  test("count the runs by result, with their duration in seconds", async () => {
    const all = await scraped();
    const results = ["good", "bad", "idle", "slow"].map(
      (job) => samples(all, DURATION, `${DURATION}_count`, job)[0]?.labels["cicd_pipeline_result"],
    );
    expect(results).toEqual(["success", "failure", "skip", "timeout"]);
    expect(samples(all, DURATION, `${DURATION}_sum`, "slow")[0]?.value).toBe(9);
    const errors = samples(all, "cicd_pipeline_run_errors_total", "cicd_pipeline_run_errors_total");
    const counted = errors.map(({ labels, value }) => [labels["cicd_pipeline_name"], labels["error_type"], value]);
    expect(counted.filter(([, , value]) => value !== 0)).toEqual([
      ["bad", "failed", 1],
      ["slow", "timeout", 1],
    ]);
    expect(counted.filter(([name]) => name === "good").map(([, type, value]) => [type, value])).toEqual([
      ["failed", 0],
      ["timeout", 0],
      ["lost", 0],
    ]);
    const active = samples(all, "cicd_pipeline_run_active", "cicd_pipeline_run_active");
    expect(active.length).toBeGreaterThan(4);
    expect(active.every(({ value }) => value === 0)).toBe(true);
  });

  test("count waits, renewals, lost locks and ticks", async () => {
    const all = await scraped();
    const sum = (name: string, job?: string): number | undefined => samples(all, name, `${name}_sum`, job)[0]?.value;
    expect(sum("ojm_lock_wait_duration_seconds", "taken")).toBeGreaterThanOrEqual(7);
    const lost = samples(all, "ojm_lock_lost_total", "ojm_lock_lost_total", "slow");
    expect(lost.map(({ labels, value }) => [labels["error_type"], value])).toEqual([
      ["lost", 0],
      ["timeout", 1],
    ]);
    expect(sum("ojm_session_renewal_duration_seconds")).toBeGreaterThanOrEqual(0);
    expect(samples(all, "ojm_tick_delay_seconds", "ojm_tick_delay_seconds_count", "hourly")[0]?.value).toBe(2);
    const [skipped] = samples(all, "ojm_tick_decided_total", "ojm_tick_decided_total", "paused");
    expect(skipped).toMatchObject({ labels: { ojm_tick_outcome: "skipped", ojm_tick_reason: "paused" }, value: 2 });
  });

  test("count a tick as late once, whichever attempt runs it", async () => {
    const metrics = opened();
    await using test = await openTestManager({ waitForBodies: false });
    const { manager, clock } = test;
    const scheduler = openScheduler(manager, { clock });
    let failed = 0;
    const fails = (): never => {
      throw new Error(`no orders, ${++failed}`);
    };
    await clock.until(scheduler.add("tried", { every: 3_600_000, retry: { attempts: 3, delay: 1_000 } }, fails));
    await clock.advance(3_700_000);
    await clock.until(scheduler.close());
    expect(failed).toBe(3);
    const late = samples(
      parseScrape(await metrics.text()),
      "ojm_tick_delay_seconds",
      "ojm_tick_delay_seconds_count",
      "tried",
    );
    expect(late.map(({ value }) => value)).toEqual([1]);
  });

  test("count a value at a bound in the bucket of that bound", () => {
    const sink = new SeriesSink();
    const [bound = 0] = METRICS.tickDelay.buckets ?? [];
    sink.put("tickDelay", bound, {});
    const buckets = samples(parseScrape(sink.text()), "ojm_tick_delay_seconds", "ojm_tick_delay_seconds_bucket");
    expect(buckets.find(({ labels }) => labels["le"] === `${bound}`)?.value).toBe(1);
  });

  test("count the failures of a schedule from 0 on, before its first run: the first one is seen to be one more", async () => {
    const metrics = opened();
    await using test = await openTestManager();
    const { manager, clock } = test;
    const scheduler = openScheduler(manager, { clock });
    await scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    const errors = samples(
      parseScrape(await metrics.text()),
      "cicd_pipeline_run_errors_total",
      "cicd_pipeline_run_errors_total",
      "nightly",
    );
    expect(errors.map(({ value }) => value)).toEqual([0, 0, 0]);
    await scheduler.close();
  });

  test("have 200 names of jobs at most, and a counter of what was counted as _other", async () => {
    const metrics = opened();
    await using test = await openTestManager();
    for (let i = 0; i < MOST_NAMES + 20; i++) await test.manager.run(`report of customer ${i}`, () => {});
    const all = parseScrape(await metrics.text());
    expect(samples(all, DURATION, `${DURATION}_count`)).toHaveLength(MOST_NAMES + 1);
    expect(samples(all, DURATION, `${DURATION}_count`, "_other")[0]?.value).toBe(20);
    expect(all.get("ojm_names_folded_total")?.samples[0]?.value).toBe(20);
  });

  test("have no label that grows with the runs", async () => {
    const all = await scraped();
    const keys = new Set(
      [...all.values()].flatMap(({ samples }) => samples.flatMap(({ labels }) => Object.keys(labels))),
    );
    expect([...keys].sort()).toEqual([
      "cicd_pipeline_name",
      "cicd_pipeline_result",
      "cicd_pipeline_run_state",
      "error_type",
      "le",
      "ojm_lock_taken",
      "ojm_session_renewed",
      "ojm_tick_outcome",
      "ojm_tick_reason",
    ]);
  });

  test("escape a name that has quotes, a backslash and a line break", async () => {
    const metrics = opened();
    await using test = await openTestManager();
    const name = 'a"b\\c\nd{}, e="f"';
    await test.manager.run(name, () => {});
    expect(samples(parseScrape(await metrics.text()), DURATION, `${DURATION}_count`, name)).toHaveLength(1);
  });

  test("cost nothing before they begin and after they end", () => {
    const channels = ["ojm:run:started", "ojm:run:ended", "ojm:session:renewal", "ojm:session:ended", "ojm:tick"];
    const listened = (): boolean[] => channels.map((name) => hasSubscribers(name));
    expect(listened()).toEqual(channels.map(() => false));
    const metrics = openPrometheus();
    expect(listened()).toEqual(channels.map(() => true));
    metrics.close();
    expect(listened()).toEqual(channels.map(() => false));
  });
});

test("the Grafana dashboard asks only for metrics and labels that are there", async () => {
  await using test = await openTestManager();
  await test.manager.run("good", () => {});
  const ofStore = opened({ manager: test.manager });
  const all = new Map([...(await scraped()), ...parseScrape(await ofStore.text())]);
  const file = readFileSync(new URL("../../grafana/ojm.json", import.meta.url), "utf8");
  const dashboard = JSON.parse(file) as {
    panels: { targets?: { expr: string }[] }[];
    templating: { list: { query?: unknown }[] };
  };
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  queries.push(...dashboard.templating.list.map(({ query }) => (typeof query === "string" ? query : "")));
  const names = new Set<string>();
  const labels = new Set<string>();
  for (const { samples } of all.values()) {
    for (const sample of samples) {
      names.add(sample.name);
      for (const label of Object.keys(sample.labels)) labels.add(label);
    }
  }
  const asked = new Set(queries.flatMap((query) => query.match(/\b(ojm|cicd)_[a-z_]+/g) ?? []));
  expect(
    [...asked].every((name) => labels.has(name) || names.has(name) || all.has(name)),
    [...asked].join(),
  ).toBe(true);
  expect(asked.size).toBeGreaterThan(12);
  for (const query of queries) {
    for (const [, label = ""] of query.matchAll(/[{,] ?([a-z_]+)(?:=|!)/g))
      expect([...labels, "instance"]).toContain(label);
  }
});

test("the numbers of the Grafana dashboard are 0 where nothing happened, and a timeout is not a lost lock", () => {
  const file = readFileSync(new URL("../../grafana/ojm.json", import.meta.url), "utf8");
  const { panels } = JSON.parse(file) as { panels: { title: string; type: string; targets?: { expr: string }[] }[] };
  const numbers = panels.filter(({ type }) => type === "stat");
  expect(numbers.length).toBeGreaterThan(3);
  // A counter has no series before its first event: the panel would say "No data".
  for (const { title, targets = [] } of numbers)
    for (const { expr } of targets) expect(expr, title).toMatch(/ or vector\(0\)$/);
  expect(numbers.find(({ title }) => title.startsWith("Locks lost"))?.targets?.[0]?.expr).toContain(
    'error_type!="timeout"',
  );
});

describe("the server of metrics", () => {
  async function served(ready?: () => boolean): Promise<string> {
    const server = await openMetricsServer({ port: 0, ...(ready && { ready }) });
    onTestFinished(() => server.close());
    return server.url;
  }

  test("serves metrics, health and readiness, and nothing else", async () => {
    const url = await served();
    const metrics = await fetch(`${url}/metrics`);
    expect([metrics.status, metrics.headers.get("content-type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    expect(parseScrape(await metrics.text()).size).toBe(Object.keys(METRICS).length);
    const statuses = await Promise.all(
      ["/healthz", "/readyz", "/", "/metrics/x", "/metrics?a=b"].map(async (path) => (await fetch(url + path)).status),
    );
    expect(statuses).toEqual([200, 200, 404, 404, 200]);
    expect((await fetch(`${url}/metrics`, { method: "POST" })).status).toBe(405);
  });

  test("is not ready while the program is not, and says why", async () => {
    const response = await fetch(`${await served(() => false)}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, "the program says that it is not ready\n"]);
    const broken = await fetch(
      `${await served(() => {
        throw new Error("no store");
      })}/readyz`,
    );
    expect([broken.status, await broken.text()]).toEqual([503, "not ready: Error: no store\n"]);
  });

  test("is not ready while the store does not answer renewals, and is again once it does", async () => {
    const url = `${await served()}/readyz`;
    const renewals = channel("ojm:session:renewal");
    renewals.publish({ session: "a", duration: 5_000, ok: false });
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([503, expect.stringContaining("the last renewal")]);
    // Another manager has another store.
    renewals.publish({ session: "b", duration: 5, ok: true });
    expect((await fetch(url)).status).toBe(503);
    renewals.publish({ session: "a", duration: 5, ok: true });
    expect((await fetch(url)).status).toBe(200);
  });

  test("is ready again once the session that was not renewed is over, although no run starts", async () => {
    const url = `${await served()}/readyz`;
    for (const session of ["a", "b"]) channel("ojm:session:renewal").publish({ session, duration: 5_000, ok: false });
    const ends = channel("ojm:session:ended");
    ends.publish({ session: "a", reason: "the session a is over: it was closed" });
    expect((await fetch(url)).status).toBe(503);
    ends.publish({ session: "b", reason: "the session b is over: it was closed" });
    expect((await fetch(url)).status).toBe(200);
  });

  test("answers no page of another host, whose name points to this machine", async () => {
    const { hostname, port } = new URL(await served());
    const { get } = await import("node:http");
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: "evil.example" };
      get({ hostname, port, path: "/metrics", headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject);
    });
    expect(status).toBe(421);
  });

  test("refuses an unknown option, and names the right one", async () => {
    await expect(openMetricsServer({ hots: "0.0.0.0" } as MetricsServerOptions)).rejects.toThrow(
      'openMetricsServer has no option "hots". Did you mean "host"? It has: host, port, manager, ready.',
    );
    expect(() => openPrometheus({ redy: () => false } as PrometheusOptions)).toThrow(/Did you mean "ready"\?/);
  });

  test("rejects for a port that is taken", async () => {
    const { port } = new URL(await served());
    await expect(openMetricsServer({ port: Number(port) })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
