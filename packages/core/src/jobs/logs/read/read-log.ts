import { readable } from "../../../channel/calls/corrupt.js";
import type { Channel } from "../../../channel/channel.js";
import type { EntriesOptions, Key } from "../../../channel/types.js";
import { recordUnder } from "../../records/read.js";
import { recordKey } from "../../records/record.js";
import type { RunRef } from "../../run-id.js";
import type { RunRecord } from "../../types.js";
import {
  chunkKey,
  isChunk,
  isProgress,
  isProgressKey,
  type LogChunk,
  type LogsValue,
  logPrefix,
  seqOf,
} from "../chunk.js";
import type { LogItem, LogOptions } from "../types.js";
import { LogText } from "./log-text.js";

/** How many chunks are read at once when only the last lines are wanted. */
const AT_ONCE = 8;

/** What a reader of logs needs. */
export interface LogSource {
  readonly logs: Channel<LogsValue>;
  readonly jobs: Channel<RunRecord>;
}

/** A chunk with its number in the store. */
export interface NumberedChunk {
  readonly seq: number;
  readonly chunk: LogChunk;
}

/** The log of a run, as far as it is in the store. */
export async function* readLog(
  source: LogSource,
  run: RunRef,
  { tail, progress = false, signal }: LogOptions,
): AsyncGenerator<LogItem, void, undefined> {
  const call = signal === undefined ? {} : { signal };
  const { logs } = source;
  if (progress) {
    for await (const { key, value } of readable(logs, { prefix: logPrefix(run), before: chunkKey(run, 0), ...call }))
      if (isProgressKey(key) && isProgress(value)) yield { progress: value };
  }
  let last = -1;
  const text = new LogText(tail === undefined);
  const first = tail === undefined ? [] : await lastChunks(logs, run, tail, call);
  let skip = tail === undefined ? 0 : Math.max(0, linesIn(first) - tail);
  for (const { seq, chunk } of first) {
    last = seq;
    for (const item of text.of(chunk)) {
      if (skip > 0 && "line" in item) skip--;
      else if (skip === 0) yield item;
    }
  }
  for await (const { seq, chunk } of chunksOf(logs, run, { after: chunkKey(run, last), ...call })) {
    last = seq;
    yield* text.of(chunk);
  }
  if (text.isComplete || last < 0) return;
  const record = await recordUnder(source.jobs, recordKey(run.name, run.startTime));
  if (record?.value.status === "running") return;
  // The run may have ended between the two reads.
  for await (const { chunk } of chunksOf(logs, run, { after: chunkKey(run, last), ...call })) yield* text.of(chunk);
  if (!text.isComplete && record !== undefined) yield { missing: "unknown" };
}

/** The last chunks, with `count` lines or more, if there are so many. */
async function lastChunks(
  logs: Channel<LogsValue>,
  run: RunRef,
  count: number,
  call: EntriesOptions,
): Promise<NumberedChunk[]> {
  const chunks: NumberedChunk[] = [];
  let before: Key | undefined;
  do {
    const range = { reverse: true, limit: AT_ONCE, ...(before !== undefined && { before }), ...call };
    let seen = 0;
    for await (const numbered of chunksOf(logs, run, range)) {
      seen++;
      before = chunkKey(run, numbered.seq);
      chunks.unshift(numbered);
    }
    if (seen < AT_ONCE) break;
  } while (linesIn(chunks) < count);
  return chunks;
}

function linesIn(chunks: readonly NumberedChunk[]): number {
  return chunks.reduce((sum, { chunk }) => sum + chunk.lines, 0);
}

/** The chunks of a run, in the order of their numbers. Skips all other entries. */
export async function* chunksOf(
  logs: Channel<LogsValue>,
  run: RunRef,
  options: EntriesOptions,
): AsyncGenerator<NumberedChunk, void, undefined> {
  for await (const { key, value } of readable(logs, { prefix: logPrefix(run), ...options })) {
    const seq = seqOf(key);
    if (seq !== undefined && isChunk(value)) yield { seq, chunk: value };
  }
}
