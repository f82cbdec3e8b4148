import type { RunRecord } from "@ojm/core";
import {
  type Attributes,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { listen } from "../measure/listen.js";
import { resultOf } from "../measure/metrics.js";

/** The most retry series whose last span is remembered, for the links of their next attempts. */
const MOST_CHAINS = 1_000;

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Makes a span of each run that this process starts or closes. Call the result to stop. */
export function spansOf(tracer: Tracer): () => void {
  const open = new Map<string, Span>();
  const attempts = new Map<string, SpanContext>();

  const start = (record: RunRecord, triggers: readonly (SpanContext | undefined)[]): Span => {
    const { id, chain = id, name, startTime } = record;
    const found = [...triggers, attempts.get(chain), parentOf(record)].filter((one) => one !== undefined);
    const links: Link[] = found.map((one) => ({ context: one }));
    const options = { kind: SpanKind.INTERNAL, startTime, links, attributes: startAttributes(record) };
    const span = tracer.startSpan(`RUN ${name}`, options, ROOT_CONTEXT);
    if (record.retry !== undefined) {
      attempts.delete(chain);
      attempts.set(chain, span.spanContext());
      const [oldest] = attempts.keys();
      if (attempts.size > MOST_CHAINS && oldest !== undefined) attempts.delete(oldest);
    }
    return span;
  };

  const stop = listen({
    "ojm:run:started": ({ record }) => {
      open.set(record.id, start(record, [trace.getSpanContext(context.active())]));
    },
    "ojm:run:calling": ({ id, within }) => {
      const span = open.get(id);
      if (span !== undefined) within((call) => context.with(trace.setSpan(context.active(), span), call));
    },
    "ojm:run:ended": ({ record }) => {
      // The span of a dead process was never ended, and its exporter never saw it: the process that closes
      // the record makes the only span of that run.
      const span = open.get(record.id) ?? start(record, []);
      open.delete(record.id);
      end(span, record);
    },
  });
  return () => {
    stop();
    open.clear();
  };
}

/** The triggering span in another process, if the caller put it into `meta`. */
function parentOf({ meta }: RunRecord): SpanContext | undefined {
  const text = meta?.["traceparent"];
  const [, traceId, spanId, flags] = (typeof text === "string" && TRACEPARENT.exec(text)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function startAttributes(record: RunRecord): Attributes {
  const { id, name, trigger, fence, attempt, chain, schedule, tick, holder } = record;
  return {
    "cicd.pipeline.name": name,
    "cicd.pipeline.run.id": id,
    "cicd.pipeline.action.name": "RUN",
    "ojm.run.trigger": trigger,
    "ojm.run.holder": `${holder.host}, pid ${holder.pid}`,
    ...(fence !== undefined && { "ojm.run.fence": fence }),
    ...(attempt !== undefined && { "ojm.run.attempt": attempt }),
    ...(chain !== undefined && { "ojm.run.chain": chain }),
    ...(schedule !== undefined && { "ojm.schedule": schedule }),
    ...(tick !== undefined && { "ojm.tick": new Date(tick).toISOString() }),
  };
}

function end(span: Span, { status, error, stack, endTime, endedBy }: RunRecord): void {
  const isError = status !== "completed" && status !== "skipped";
  span.setAttributes({
    "cicd.pipeline.result": resultOf(status),
    ...(isError && { "error.type": status }),
    ...(error !== undefined && { "ojm.run.error": error }),
    ...(endedBy !== undefined && { "ojm.run.ended_by": endedBy.action }),
  });
  if (isError) {
    const message = error ?? status;
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    if (stack !== undefined) span.recordException({ name: "Error", message, stack }, endTime);
  }
  span.end(endTime);
}
