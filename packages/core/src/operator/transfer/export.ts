import type { Channel } from "../../channel/channel.js";
import { readable } from "../../channel/corrupt.js";
import type { CallOptions } from "../../channel/types.js";
import {
  isChunk,
  isProgress,
  isProgressKey,
  type LogsValue,
  logPrefix,
  runOfKey,
  seqOf,
} from "../../jobs/logs/chunk.js";
import type { RunContext } from "../../jobs/run/context.js";
import type { RunRef } from "../../jobs/run-id.js";
import type { RunRecord } from "../../jobs/types.js";
import { fieldsOf, isTime } from "../../util/shape.js";
import { checkRange, selectRecords } from "../history.js";
import type { Exported, ExportedAudit, ExportOptions } from "./types.js";

/** The runs of a store, newest first, each with its log; then the audit. */
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

/** Whether a value is an entry of the audit: its key is `["audit", NAME, TIME, …]`. */
export function isAudit(audit: unknown): audit is ExportedAudit {
  const { key, value } = fieldsOf<ExportedAudit>(audit) ?? {};
  if (!Array.isArray(key) || fieldsOf(value) === undefined) return false;
  const [kind, name, at] = key as readonly unknown[];
  const isPlain = key.every((part) => ["string", "number", "boolean"].includes(typeof part));
  return isPlain && kind === "audit" && typeof name === "string" && isTime(at);
}

/** How many keys are read at once. */
const AT_ONCE = 200;

/** The runs of one name that have a log, as far as they were read. */
interface OfName {
  /** Their start times, the latest first. */
  times: number[];
  /** All from this start time on were read. */
  from: number;
}

/**
 * Which runs have a log. Query the latest run of each name first. Reads only keys, a page at a time: reading
 * the log of each run would cost a call for each.
 */
class LoggedRuns {
  readonly #logs: Channel<LogsValue>;
  readonly #options: CallOptions;
  readonly #names: Map<string, OfName> = new Map();

  constructor(logs: Channel<LogsValue>, options: CallOptions) {
    this.#logs = logs;
    this.#options = options;
  }

  async has({ name, startTime }: RunRef): Promise<boolean> {
    const known = this.#names.get(name) ?? { times: [], from: startTime + 1 };
    this.#names.set(name, known);
    while (startTime < known.from) await this.#readMore(name, known);
    known.times = known.times.filter((time) => time <= startTime);
    return known.times[0] === startTime;
  }

  async #readMore(name: string, known: OfName): Promise<void> {
    let count = 0;
    let last = known.from;
    const range = { prefix: [name], before: [name, known.from], reverse: true, limit: AT_ONCE, ...this.#options };
    for await (const { key } of this.#logs.keys(range)) {
      count++;
      const time = runOfKey(key)?.startTime;
      if (time === undefined || time === last) continue;
      last = time;
      known.times.push(time);
    }
    known.from = count < AT_ONCE ? Number.NEGATIVE_INFINITY : last;
  }
}
