import { readable } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import type { CallOptions } from "../../channel/types.js";
import { fieldsOf, isTime } from "../../util/shape.js";
import { isChunk, isProgress, isProgressKey, type LogsValue, logPrefix, seqOf } from "../logs/chunk.js";
import { checkRange, selectRecords } from "../records/history/select.js";
import type { RunContext } from "../run/context.js";
import type { RunRef } from "../run-id.js";
import type { RunRecord } from "../types.js";
import { LoggedRuns } from "./logged-runs.js";
import type { Exported, ExportedAudit, ExportOptions } from "./types.js";

/** The runs of a store, newest first, each with its log; then what operators did. */
export async function* exportAll(
  context: RunContext,
  { logs = true, ...options }: ExportOptions,
): AsyncGenerator<Exported, void, undefined> {
  checkRange(options);
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const channel = logs ? (await context.logs.open()).channel : undefined;
  const logged = channel && new LoggedRuns(channel, call);
  for await (const record of selectRecords(context, options)) {
    if (record.status === "running") {
      yield { leftOut: { run: record.id, reason: "the run goes on" } };
      continue;
    }
    yield { run: record };
    if (channel !== undefined && (await logged?.has(record))) yield* logOf(channel, record, call);
  }
  yield* auditsOf(context.lockChannel, options);
}

async function* logOf(
  logs: Channel<LogsValue>,
  { name, startTime, id }: RunRecord & RunRef,
  call: CallOptions,
): AsyncGenerator<Exported, void, undefined> {
  for await (const { key, value } of readable(logs, { prefix: logPrefix({ name, startTime }), ...call })) {
    const part = seqOf(key);
    if (part !== undefined && isChunk(value)) yield { log: { run: id, part, ...value } };
    else if (isProgressKey(key) && isProgress(value)) yield { progress: { run: id, ...value } };
  }
}

async function* auditsOf(
  locks: Channel<unknown>,
  { name, from, to, signal }: ExportOptions,
): AsyncGenerator<Exported, void, undefined> {
  const prefix = name === undefined ? ["audit"] : ["audit", name];
  for await (const { key, value } of readable(locks, { prefix, ...(signal && { signal }) })) {
    const audit = { key, value };
    if (!isAudit(audit)) continue;
    const [, , at] = audit.key;
    if (typeof at === "number" && (at < (from ?? at) || at >= (to ?? at + 1))) continue;
    yield { audit: { key: audit.key, value: audit.value } };
  }
}

/** Whether something is an entry of the audit: its key is `["audit", NAME, TIME, …]`. */
export function isAudit(audit: unknown): audit is ExportedAudit {
  const { key, value } = fieldsOf<ExportedAudit>(audit) ?? {};
  if (!Array.isArray(key) || fieldsOf(value) === undefined) return false;
  const [kind, name, at] = key as readonly unknown[];
  const isPlain = key.every((part) => ["string", "number", "boolean"].includes(typeof part));
  return isPlain && kind === "audit" && typeof name === "string" && isTime(at);
}
