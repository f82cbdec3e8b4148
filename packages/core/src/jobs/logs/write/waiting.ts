import type { LogChunk } from "../chunk.js";
import type { LogAmount } from "../types.js";

/** A chunk of lines that wait to be written. It has no chunk number yet. */
export interface WaitingChunk {
  readonly at: number;
  readonly line: number;
  readonly offset: number;
  readonly lines: number;
  readonly bytes: number;
  readonly text: string;
  /** The lines that were dropped right before it. */
  readonly dropped: LogAmount;
}

/** The limits of waiting lines. */
export interface WaitingLimits {
  /** The size of a chunk, in bytes. */
  chunk: number;
  /** The most bytes that may wait in one log. */
  readonly most: number;
  /** How many bytes of full chunks wait in all logs of a manager, and how many may wait. */
  readonly room: { used: number; readonly most: number };
}

const NOTHING: LogAmount = { lines: 0, bytes: 0 };

/**
 * The lines of a log that wait in memory to be written.
 *
 * Above the limit, chunks in the middle are dropped: the first lines that wait are the next to be written,
 * and the last ones may say why a run failed. Dropped lines keep their numbers, so a reader sees where and
 * how many.
 */
export class Waiting {
  readonly #limits: WaitingLimits;
  readonly #onDrop: (amount: LogAmount) => void;
  readonly #full: WaitingChunk[] = [];
  /** Bytes in {@link Waiting.#full}. */
  #fullBytes = 0;
  /** The number and offset of the next line. */
  #line = 1;
  #offset = 0;
  /** The chunk that is being filled. */
  #at = 0;
  #lines = 0;
  #bytes = 0;
  #text = "";
  #dropped: LogAmount = NOTHING;

  constructor(limits: WaitingLimits, onDrop: (amount: LogAmount) => void) {
    this.#limits = limits;
    this.#onDrop = onDrop;
  }

  /** Adds a line, without its line break. */
  add(at: number, letter: string, text: string): void {
    const bytes = Buffer.byteLength(text) + 1;
    if (this.#lines === 0) {
      this.#at = at;
      this.#text = `0 ${letter} ${text}`;
    } else this.#text += `\n${at - this.#at} ${letter} ${text}`;
    this.#lines++;
    this.#bytes += bytes;
    this.#line++;
    this.#offset += bytes;
    if (this.#bytes >= this.#limits.chunk) this.#seal();
  }

  get isEmpty(): boolean {
    return this.#lines === 0 && this.#full.length === 0;
  }

  /** Whether a chunk is full: then there is no reason to wait for further lines. */
  get hasFull(): boolean {
    return this.#full.length > 0;
  }

  take(): WaitingChunk | undefined {
    if (this.#full.length === 0 && this.#lines > 0) this.#seal();
    const first = this.#full.shift();
    if (first !== undefined) this.#count(-first.bytes);
    return first;
  }

  /** The place of the next line, and the lines that were dropped right before it. */
  end(): Pick<LogChunk, "line" | "offset"> & { readonly dropped: LogAmount } {
    return { line: this.#line, offset: this.#offset, dropped: this.#dropped };
  }

  dropAll(): LogAmount {
    let all = NOTHING;
    for (let chunk = this.take(); chunk !== undefined; chunk = this.take()) all = sum(all, chunk);
    return all;
  }

  #seal(): void {
    const [lines, bytes] = [this.#lines, this.#bytes];
    const [line, offset] = [this.#line - lines, this.#offset - bytes];
    this.#full.push({ at: this.#at, line, offset, lines, bytes, text: this.#text, dropped: this.#dropped });
    this.#count(bytes);
    this.#lines = 0;
    this.#bytes = 0;
    this.#text = "";
    this.#dropped = NOTHING;
    const { most, room } = this.#limits;
    while (this.#fullBytes > most || (room.used > room.most && this.#full.length > 1)) this.#dropMiddle();
  }

  #count(bytes: number): void {
    this.#fullBytes += bytes;
    this.#limits.room.used += bytes;
  }

  #dropMiddle(): void {
    let before = 0;
    let at = 0;
    for (; at < this.#full.length - 1 && before < this.#fullBytes / 2; at++) before += this.#full[at]?.bytes ?? 0;
    const [chunk] = this.#full.splice(at, 1);
    if (chunk === undefined) return;
    this.#count(-chunk.bytes);
    const amount = sum(chunk.dropped, chunk);
    const next = this.#full[at];
    if (next === undefined) this.#dropped = sum(amount, this.#dropped);
    else this.#full[at] = { ...next, dropped: sum(amount, next.dropped) };
    this.#onDrop({ lines: chunk.lines, bytes: chunk.bytes });
  }
}

export function sum(one: LogAmount, other: LogAmount): LogAmount {
  return { lines: one.lines + other.lines, bytes: one.bytes + other.bytes };
}
