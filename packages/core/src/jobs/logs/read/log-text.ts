import type { LogChunk } from "../chunk.js";
import type { LogAmount, LogGap, LogItem, LogLevel, LogLine, LogStream } from "../types.js";
import { LETTERS } from "../write/line.js";

const LEVELS: ReadonlyMap<string, LogLevel | LogStream> = new Map(
  Object.entries(LETTERS).map(([level, letter]) => [letter, level as LogLevel | LogStream]),
);

/** The form of a line in the text of a chunk: ms since the chunk's time, a letter, and the text. */
const LINE = /^(-?\d{1,15}) (.) (.*)$/s;

const NOTHING: LogAmount = { lines: 0, bytes: 0 };

/** Makes lines and gaps of chunks, which must come in their order. */
export class LogText {
  readonly #after: number;
  /** The number and offset of the next line, if nothing is missing. */
  #line = 1;
  #offset = 0;
  #dropped: LogAmount = NOTHING;
  #isStarted: boolean;
  #isComplete = false;
  /** The chunk before, if none of its lines was wanted: it is counted only where something is missing. */
  #passed: LogChunk | undefined;

  /**
   * `after`: what ends with this line or before it is left out. `fromStart`: whether lines are missing if the
   * first chunk does not begin with the first line.
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
    const item = {
      line: this.#line++,
      offset: this.#offset,
      at: at + Number(ms),
      level: LEVELS.get(letter) ?? "info",
      text,
    };
    this.#offset += Buffer.byteLength(text) + 1;
    return item;
  }
}
