import type { Channel } from "../channel/channel.js";
import { readable } from "../channel/corrupt.js";
import type { EntriesOptions, Key } from "../channel/types.js";
import {
  chunkKey,
  isChunk,
  isProgress,
  isProgressKey,
  type LogChunk,
  type LogsValue,
  logPrefix,
  seqOf,
} from "../jobs/logs/chunk.js";
import type { LogAmount, LogGap, LogItem, LogLevel, LogLine, LogOptions, LogStream } from "../jobs/logs/types.js";
import { LETTERS } from "../jobs/logs/write/log-writer.js";
import { hasEnded, recordUnder } from "../jobs/records/read.js";
import { recordKey } from "../jobs/records/record.js";
import type { RunRef } from "../jobs/run-id.js";
import type { RunRecord } from "../jobs/types.js";
import { first, type Items } from "../util/iterate.js";

/**
 * The number of chunks to read first if only the last lines are wanted, and the most at once. A full chunk
 * has a thousand lines; the last one of a log may have few.
 */
const FIRST_CHUNKS = 2;
const AT_ONCE = 16;

/** The inputs of a log reader. */
export interface LogSource {
  readonly logs: Channel<LogsValue>;
  readonly jobs: Channel<RunRecord>;
}

/** A chunk with its number in the store. */
export interface NumberedChunk extends LogChunk {
  readonly seq: number;
}

/** The part of a run's log that is in the store. */
export async function* readLog(
  source: LogSource,
  run: RunRef,
  { after = 0, tail, progress = false, signal }: LogOptions,
): Items<LogItem> {
  const call = signal === undefined ? {} : { signal };
  const { logs } = source;
  if (progress) {
    for await (const { key, value } of readable(logs, { prefix: logPrefix(run), before: chunkKey(run, 0), ...call }))
      if (isProgressKey(key) && isProgress(value)) yield { progress: value };
  }
  const begun = await (tail === undefined ? chunksFrom(logs, run, after + 1, call) : lastChunks(logs, run, tail, call));
  const from = tail === undefined ? after : beforeLast(begun, tail);
  const text = new LogText({ after: from, fromStart: begun.length === 0 });
  for (const chunk of begun) yield* text.of(chunk);
  let last = begun.at(-1)?.seq ?? -1;
  for await (const chunk of chunksOf(logs, run, { after: chunkKey(run, last), ...call })) {
    last = chunk.seq;
    yield* text.of(chunk);
  }
  if (text.isComplete || last < 0) return;
  const record = await recordUnder(source.jobs, recordKey(run.name, run.startTime));
  if (record !== undefined && !hasEnded(record.value)) return;
  // The run may have ended between the two reads.
  for await (const chunk of chunksOf(logs, run, { after: chunkKey(run, last), ...call })) yield* text.of(chunk);
  if (!text.isComplete && record !== undefined) yield { missing: "unknown" };
}

/** The last chunks, with `count` lines or more, if there are that many. */
async function lastChunks(
  logs: Channel<LogsValue>,
  run: RunRef,
  count: number,
  call: EntriesOptions,
): Promise<NumberedChunk[]> {
  const chunks: NumberedChunk[] = [];
  let before: Key | undefined;
  for (let limit = FIRST_CHUNKS; ; ) {
    const range = { reverse: true, limit, ...(before !== undefined && { before }), ...call };
    let seen = 0;
    for await (const { key, value } of readable(logs, { prefix: logPrefix(run), ...range })) {
      seen++;
      before = key;
      const seq = seqOf(key);
      if (seq !== undefined && isChunk(value)) chunks.unshift({ seq, ...value });
    }
    const lines = linesIn(chunks);
    if (seen < limit || lines >= count) return chunks;
    // Enough chunks if the others are as long as these.
    limit = Math.min(AT_ONCE, Math.ceil(((count - lines) * chunks.length) / Math.max(1, lines)));
  }
}

/**
 * The last chunk that begins with a line or before it, if there is one. Chunks are numbered in the order of
 * their lines, so a binary search finds it: a page of a long log must not cost everything before it.
 */
async function chunksFrom(
  logs: Channel<LogsValue>,
  run: RunRef,
  line: number,
  call: EntriesOptions,
): Promise<NumberedChunk[]> {
  if (line <= 1) return [];
  const one = (range: EntriesOptions): Promise<NumberedChunk | undefined> =>
    first(chunksOf(logs, run, { ...range, limit: 1, ...call }));
  let found = await one({});
  if (found === undefined || found.line > line) return [];
  const end = await one({ reverse: true });
  if (end === undefined || end.line <= line) return [end ?? found];
  for (let high = end.seq; high - found.seq > 1; ) {
    const middle = Math.floor((found.seq + high) / 2);
    const next = await one({ after: chunkKey(run, middle - 1), before: chunkKey(run, high) });
    if (next === undefined || next.line > line) high = middle;
    else found = next;
  }
  return [found];
}

/** The number of the line before the last `count` ones of these chunks; 0 if they have no more than that. */
export function beforeLast(chunks: readonly LogChunk[], count: number): number {
  let skipped = linesIn(chunks) - count;
  for (const { line, lines } of chunks) {
    if (skipped <= lines) return line - 1 + Math.max(0, skipped);
    skipped -= lines;
  }
  return 0;
}

export function linesIn(chunks: readonly LogChunk[]): number {
  return chunks.reduce((sum, { lines }) => sum + lines, 0);
}

/** The chunks of a run, in the order of their numbers. Skips all other entries. */
export async function* chunksOf(logs: Channel<LogsValue>, run: RunRef, options: EntriesOptions): Items<NumberedChunk> {
  for await (const { key, value } of readable(logs, { prefix: logPrefix(run), ...options })) {
    const seq = seqOf(key);
    if (seq !== undefined && isChunk(value)) yield { seq, ...value };
  }
}

const LEVELS: ReadonlyMap<string, LogLevel | LogStream> = new Map(
  Object.entries(LETTERS).map(([level, letter]) => [letter, level as LogLevel | LogStream]),
);

/** The form of a line in the text of a chunk: ms since the chunk's time, a letter, and the text. */
const LINE = /^(-?\d{1,15}) (.) (.*)$/s;

const NOTHING: LogAmount = { lines: 0, bytes: 0 };

/** Makes lines and gaps of chunks, which must come in order. */
export class LogText {
  readonly #after: number;
  /** The number and offset of the next line, if nothing is missing. */
  #line = 1;
  #offset = 0;
  #dropped: LogAmount = NOTHING;
  #isStarted: boolean;
  #isComplete = false;
  /** The previous chunk, if none of its lines was wanted: it counts only if lines are missing. */
  #passed: LogChunk | undefined;

  /**
   * `after`: items that end with this line or before it are left out. `fromStart`: whether lines are missing
   * if the first chunk does not begin with the first line.
   */
  constructor({ after = 0, fromStart = true }: { readonly after?: number; readonly fromStart?: boolean } = {}) {
    this.#after = after;
    this.#isStarted = fromStart;
  }

  /** Whether the end of the log was read. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The gap before a chunk, if there is one, and its lines. */
  *of(chunk: LogChunk): Generator<LogItem, void, undefined> {
    const { at, line, offset, lines, text, dropped = NOTHING, end } = chunk;
    const gap = this.#isStarted && line > this.#after + 1 ? this.#gap(line, offset, dropped) : undefined;
    this.#isStarted = true;
    this.#dropped = dropped;
    if (gap !== undefined) yield gap;
    this.#line = line;
    this.#offset = offset;
    const isPassed = line + lines - 1 <= this.#after;
    this.#passed = isPassed ? chunk : undefined;
    if (isPassed) this.#line += lines;
    else if (text !== "")
      for (const each of text.split("\n")) {
        const item = this.#next(at, each);
        if (item.line > this.#after) yield item;
      }
    if (end === true) this.#isComplete = true;
  }

  #gap(line: number, offset: number, dropped: LogAmount): LogGap | undefined {
    if (line <= this.#line) return undefined;
    if (this.#passed !== undefined) this.#count(this.#passed);
    const missing = { lines: line - this.#line, bytes: Math.max(0, offset - this.#offset) };
    const unwritten = { lines: dropped.lines - this.#dropped.lines, bytes: dropped.bytes - this.#dropped.bytes };
    return unwritten.lines > 0 ? { missing, dropped: unwritten } : { missing };
  }

  #count({ at, line, offset, text }: LogChunk): void {
    this.#line = line;
    this.#offset = offset;
    if (text !== "") for (const each of text.split("\n")) this.#next(at, each);
  }

  #next(at: number, stored: string): LogLine {
    const [, ms = "0", letter = "", text = stored] = LINE.exec(stored) ?? [];
    const level = LEVELS.get(letter) ?? "info";
    const item = { line: this.#line++, offset: this.#offset, at: at + Number(ms), level, text };
    this.#offset += Buffer.byteLength(text) + 1;
    return item;
  }
}
