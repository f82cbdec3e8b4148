import type { RunRecord } from "@ojm/core";
import { openTestManager } from "@ojm/core/testing";
import { type Context, context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { METRICS } from "../measure/metrics.js";
import { everything } from "../testing/week.js";
import { openTelemetry } from "./telemetry.js";

interface Telemetry {
  readonly spans: InMemorySpanExporter;
  readonly tracerProvider: BasicTracerProvider;
  metrics(): Promise<{ readonly name: string; readonly unit: string; readonly points: readonly unknown[] }[]>;
}

let telemetry: Telemetry;

beforeEach(() => {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const opened = openTelemetry({ meterProvider, tracerProvider });
  onTestFinished(async () => {
    opened.close();
    await meterProvider.shutdown();
    await tracerProvider.shutdown();
  });
  telemetry = {
    spans,
    tracerProvider,
    async metrics() {
      await meterProvider.forceFlush();
      const scopes = exporter.getMetrics().at(-1)?.scopeMetrics ?? [];
      return scopes.flatMap(({ metrics }) =>
        metrics.map(({ descriptor: { name, unit }, dataPoints }) => ({ name, unit, points: dataPoints })),
      );
    },
  };
});

/** Lets a span find the active span at the start of a run. */
function withContexts(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  onTestFinished(() => context.disable());
}

describe("openTelemetry()", () => {
  test("the span of a run is active in its job function, in each attempt, and not behind it", async () => {
    withContexts();
    const { spans, tracerProvider } = telemetry;
    const tracer = tracerProvider.getTracer("app");
    await using it = await openTestManager();
    const body = async (run: { readonly attempt: number }): Promise<void> => {
      await Promise.resolve();
      tracer.startSpan(`query ${run.attempt}`).end();
      if (run.attempt === 1) throw new Error("no");
    };
    await it.clock.until(it.manager.run("report", body, { retry: { attempts: 2, delay: 1_000 } }));
    expect(trace.getSpan(context.active())).toBeUndefined();
    const all = spans.getFinishedSpans();
    const runs = all.filter(({ name }) => name === "RUN report");
    const queries = all.filter(({ name }) => name.startsWith("query"));
    expect(queries.map(({ name }) => name)).toEqual(["query 1", "query 2"]);
    expect(queries.map(({ parentSpanContext: parent }) => parent?.spanId)).toEqual(
      runs.map((span) => span.spanContext().spanId),
    );
  });

  test("makes the metrics by their names, with units", async () => {
    await everything();
    const metrics = await telemetry.metrics();
    const expected = Object.values(METRICS)
      .map(({ name, unit }) => `${name} ${unit}`)
      .filter((text) => !/dropped|folded/.test(text));
    expect(metrics.map(({ name, unit }) => `${name} ${unit}`).sort()).toEqual(expected.sort());
    const durations = metrics.find(({ name }) => name === "cicd.pipeline.run.duration")?.points;
    expect(durations).toContainEqual(
      expect.objectContaining({
        attributes: { "cicd.pipeline.name": "slow", "cicd.pipeline.result": "timeout", "error.type": "timeout" },
        value: expect.objectContaining({ sum: 9, count: 1 }),
      }),
    );
  });

  test("makes one span of a run, with its id, fence and times", async () => {
    await using test = await openTestManager({ start: "2026-11-25T02:00:00Z" });
    const { record } = await test.manager.run("report", () => 5, { trigger: "by hand" });
    const [span, ...more] = telemetry.spans.getFinishedSpans();
    expect(more).toEqual([]);
    expect(span).toMatchObject({ name: "RUN report", kind: SpanKind.INTERNAL, status: { code: SpanStatusCode.UNSET } });
    expect(span?.startTime).toEqual([record.startTime / 1_000, 0]);
    expect(span?.attributes).toMatchObject({
      "cicd.pipeline.name": "report",
      "cicd.pipeline.run.id": record.id,
      "cicd.pipeline.result": "success",
      "ojm.run.fence": record.fence,
      "ojm.run.trigger": "by hand",
    });
  });

  test("links the span of a run to the span that triggered it, and makes it no child of that", async () => {
    withContexts();
    await using test = await openTestManager();
    const tracer = telemetry.tracerProvider.getTracer("test");
    const trigger = tracer.startSpan("request");
    const active: Context = trace.setSpan(context.active(), trigger);
    await context.with(active, () => test.manager.run("report", () => {}));
    const [span] = telemetry.spans.getFinishedSpans();
    expect(span?.links.map((link) => link.context.spanId)).toEqual([trigger.spanContext().spanId]);
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.spanContext().traceId).not.toBe(trigger.spanContext().traceId);
  });

  test("links to a trigger in another process that meta.traceparent names", async () => {
    await using test = await openTestManager();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await test.manager.run("report", () => {}, { meta: { traceparent } });
    await test.manager.run("report", () => {}, { meta: { traceparent: "nonsense" } });
    const links = telemetry.spans.getFinishedSpans().map((span) => span.links.map((link) => link.context.spanId));
    expect(links).toEqual([["b7ad6b7169203331"], []]);
  });

  test("links an attempt to the one before it, and records the error", async () => {
    await using test = await openTestManager({ waitForBodies: false });
    const { manager, clock } = test;
    let attempt = 0;
    const body = (): void => {
      if (++attempt < 3) throw new Error(`attempt ${attempt} failed`);
    };
    await clock.until(manager.run("import", body, { retry: { attempts: 3, delay: 1_000 } }));
    const [one, two, three] = telemetry.spans.getFinishedSpans();
    expect(two?.links[0]?.context.spanId).toBe(one?.spanContext().spanId);
    expect(three?.links[0]?.context.spanId).toBe(two?.spanContext().spanId);
    expect(one?.status).toEqual({ code: SpanStatusCode.ERROR, message: "attempt 1 failed" });
    expect(one?.attributes).toMatchObject({ "error.type": "failed", "ojm.run.error": "attempt 1 failed" });
    expect(one?.events[0]?.attributes?.["exception.stacktrace"]).toContain("telemetry.test.ts");
  });

  test("makes the span of a run whose process died where its record is closed", async () => {
    const { channel } = await import("node:diagnostics_channel");
    const holder = { host: "elsewhere", pid: 1, instance: "1-gone" };
    const startTime = Date.UTC(2026, 10, 25);
    const lost: RunRecord = {
      name: "report",
      id: "report@2026-11-25T00:00:00.000Z",
      startTime,
      startDate: new Date(startTime).toISOString(),
      status: "lost",
      holder,
      trigger: "schedule",
      timeout: 1_000,
      endTime: startTime + 60_000,
      duration: 60_000,
      inError: true,
      error: "its process died",
    };
    channel("ojm:run:ended").publish({ record: lost });
    const [span] = telemetry.spans.getFinishedSpans();
    expect(span).toMatchObject({ duration: [60, 0], attributes: { "cicd.pipeline.result": "error" } });
    const active = (await telemetry.metrics()).find(({ name }) => name === "cicd.pipeline.run.active");
    expect(active).toBeUndefined();
  });
});
