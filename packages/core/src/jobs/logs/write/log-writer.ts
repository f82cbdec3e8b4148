import type { LogBudget } from "../../../channel/backend/backend.js";
import { encodeValue } from "../../../channel/encoding/json.js";
import { nearestJson } from "../../../channel/encoding/nearest-json.js";
import { isChannelError } from "../../../channel/errors.js";
import type { Op } from "../../../channel/types.js";
import type { RunRef } from "../../run-id.js";
import { chunkKey, type LogChunk, type LogsValue } from "../chunk.js";
import type { LateWriter, LogStore, Logs } from "../logs.js";
import type { LogAmount, LogLevel, LogStream } from "../types.js";
import { sum, Waiting, type WaitingLimits } from "./waiting.js";

/** The most bytes that wait in memory for one run. */
const MOST_WAITING = 1_024 * 1_024;

/** The rest after a commit, as a multiple of its duration: a log takes a tenth of a store's time at most. */
const REST = 10;
const LONGEST_REST = 5_000;

/** The first rest after a failed commit, in ms. Each further one is twice as long. */
const FIRST_RETRY = 250;
const LONGEST_RETRY = 3_000;

/** How long the writer tries to complete a log after the end of its run, in ms. */
const GIVE_UP = 60_000;

interface Outgoing {
  readonly ops: readonly Op<LogsValue>[];
  readonly amount: LogAmount;
  readonly isEnd: boolean;
}

/** Writes the log of a run, one chunk at a time, without blocking the run. */
export class LogWriter implements LateWriter {
  /** Resolves once the log is complete, or once the run is over and the latest commit has failed. */
  readonly soon: Promise<void>;
  readonly #run: RunRef;
  readonly #logs: Logs;
  readonly #limits: WaitingLimits;
  readonly #waiting: Waiting;
  #ring: Ring | undefined;
  /** The lines that were dropped before the last written chunk. */
  #dropped: LogAmount = { lines: 0, bytes: 0 };
  /** Sent, but not yet acknowledged. It is sent again unchanged, because it may have been written. */
  #outgoing: Outgoing | undefined;
  #state: "open" | "ending" | "over" = "open";
  #isSending = false;
  #isComplete = false;
  #failures = 0;
  #restUntil = 0;
  #endedAt = 0;
  #cancel: (() => void) | undefined;
  /** Whether the timer waits only for the end of the rest. */
  #isPressing = false;
  #onSoon: () => void = () => {};

  constructor(logs: Logs, run: RunRef) {
    this.#run = { name: run.name, startTime: run.startTime };
    this.#logs = logs;
    this.#limits = { chunk: logs.chunk, most: MOST_WAITING, room: logs.room };
    this.#waiting = new Waiting(this.#limits, (amount) => logs.dropped(this.#run, amount));
    this.soon = new Promise((resolve) => {
      this.#onSoon = resolve;
    });
  }

  /** Adds a line. Returns at once. */
  add(letter: string, text: string): void {
    if (this.#state !== "open") return;
    this.#waiting.add(this.#logs.clock.now(), letter, text);
    this.#wake();
  }

  /** Completes the log: writes the buffered lines, at once and without rests, and its end. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#endedAt = this.#logs.clock.monotonic();
    this.#logs.addLate(this);
    if (this.#failures > 0) this.#onSoon();
    if (this.#isSending) return;
    if (this.#failures > 0) this.#wake();
    else void this.#send();
  }

  /** Deletes the lines of a completed run if the store keeps none. The last chunk keeps their number. */
  async forget(): Promise<void> {
    const store = this.#logs.opened;
    const last = this.#ring === undefined ? 0 : this.#ring.next - 1;
    if (!this.#isComplete || store === undefined || store.budget.completed) return;
    const { channel, budget } = store;
    const old = this.#ring?.kept().filter((seq) => seq < last) ?? [];
    for (let i = 0; i < old.length; i += channel.supports.maxOps) {
      const some = old.slice(i, i + channel.supports.maxOps);
      await channel.commit(some.map((seq) => ({ delete: chunkKey(this.#run, seq) })));
    }
    const { line, offset } = this.#waiting.end();
    const end = { at: this.#logs.clock.now(), line, offset, lines: 0, text: "", end: true } as const;
    const value: LogChunk = this.#dropped.lines > 0 ? { ...end, dropped: this.#dropped } : end;
    await channel.set(chunkKey(this.#run, last), value, budget.ttl === undefined ? {} : { ttl: budget.ttl });
  }

  giveUp(): void {
    if (this.#state === "over") return;
    this.#cancel?.();
    const lost = sum(this.#waiting.dropAll(), this.#outgoing?.amount ?? { lines: 0, bytes: 0 });
    if (lost.lines > 0) this.#logs.dropped(this.#run, lost);
    this.#over();
  }

  #over(): void {
    this.#state = "over";
    this.#logs.removeLate(this);
    this.#onSoon();
  }

  #wake(): void {
    if (this.#isSending) return;
    const isPressing = this.#state === "ending" || this.#outgoing !== undefined || this.#waiting.hasFull;
    if (this.#cancel !== undefined) {
      if (!isPressing || this.#isPressing) return;
      this.#cancel();
    }
    const { clock, interval } = this.#logs;
    const wait = isPressing ? 0 : interval;
    this.#isPressing = isPressing;
    this.#cancel = clock.after(Math.max(wait, this.#restUntil - clock.monotonic()), () => void this.#send());
  }

  async #send(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#isSending = true;
    const { clock } = this.#logs;
    try {
      // Do not await a store that is already open: the commit of the end could overtake the last lines.
      const store = this.#logs.opened ?? (await this.#logs.open());
      do {
        const began = clock.monotonic();
        this.#outgoing ??= this.#next(store);
        if (this.#outgoing === undefined) break;
        await store.channel.commit(this.#outgoing.ops);
        const { isEnd } = this.#outgoing;
        this.#outgoing = undefined;
        this.#failures = 0;
        const now = clock.monotonic();
        this.#restUntil = now + Math.min(LONGEST_REST, REST * (now - began));
        if (isEnd) {
          this.#isComplete = true;
          this.#over();
        }
      } while (this.#state === "ending");
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isSending = false;
    }
    if (this.#state === "ending" || (this.#state === "open" && this.#hasMore)) this.#wake();
  }

  get #hasMore(): boolean {
    return this.#outgoing !== undefined || !this.#waiting.isEmpty;
  }

  /** The commit of the next chunk; `undefined` if there is nothing to write. */
  #next({ channel, budget }: LogStore): Outgoing | undefined {
    this.#limits.chunk = budget.chunk;
    const chunk = this.#waiting.take();
    const isEnd = this.#state === "ending" && this.#waiting.isEmpty;
    if (chunk === undefined && !isEnd) return undefined;
    const { at, line, offset, lines, bytes, text, dropped } = chunk ?? {
      ...this.#waiting.end(),
      at: this.#logs.clock.now(),
      lines: 0,
      bytes: 0,
      text: "",
    };
    this.#dropped = sum(this.#dropped, dropped);
    this.#ring ??= new Ring(budget);
    const { seq, deletes } = this.#ring.add(bytes, channel.supports.maxOps - 1);
    const value: LogChunk = {
      ...{ at, line, offset, lines, text },
      ...(this.#dropped.lines > 0 && { dropped: this.#dropped }),
      ...(isEnd && { end: true }),
    };
    const put = { put: chunkKey(this.#run, seq), value, ...(budget.ttl !== undefined && { ttl: budget.ttl }) };
    const ops = [put, ...deletes.map((old) => ({ delete: chunkKey(this.#run, old) }))];
    return { ops, amount: { lines, bytes }, isEnd };
  }

  #failed(error: unknown): void {
    const { clock } = this.#logs;
    this.#logs.failed(error);
    const now = clock.monotonic();
    this.#restUntil = now + Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.#failures++);
    if (isRefused(error)) this.#dropOutgoing();
    if (this.#state !== "ending") return;
    this.#onSoon();
    if (now > this.#endedAt + GIVE_UP || (isChannelError(error) && error.code === "CLOSED")) this.giveUp();
  }

  /** The store will never take this chunk. Its lines are reported as dropped. */
  #dropOutgoing(): void {
    if (this.#outgoing === undefined) return;
    const { amount } = this.#outgoing;
    this.#outgoing = undefined;
    this.#dropped = sum(this.#dropped, amount);
    this.#logs.dropped(this.#run, amount);
  }
}

function isRefused(error: unknown): boolean {
  return (
    !isChannelError(error) || ["TOO_LARGE", "INVALID_VALUE", "INVALID_KEY", "INVALID_ARGUMENT"].includes(error.code)
  );
}

/** The longest line, in UTF-8 bytes. */
export const LONGEST_LINE: number = 16 * 1_024;

/** The most bytes of a UTF-16 unit in UTF-8. */
const MOST_BYTES = 3;

/** The letter of a level or stream, in the text of a chunk. */
export const LETTERS: Readonly<Record<LogLevel | LogStream, string>> = {
  debug: "D",
  info: "I",
  warn: "W",
  error: "E",
  stdout: "o",
  stderr: "e",
};

/** The lines of a text. Its last line break ends the last line, and begins no other. */
export function linesOf(text: string): string[] {
  if (!text.includes("\n")) return [text];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The last state of a line that carriage returns have overwritten. */
export function lastState(line: string): string {
  if (!line.includes("\r")) return line;
  const whole = line.replace(/\r+$/, "");
  return whole.slice(whole.lastIndexOf("\r") + 1);
}

/** A line as it is stored: cut at {@link LONGEST_LINE}. `more`: bytes that were left out already. */
export function cut(line: string, more = 0): string {
  if (more === 0 && line.length * MOST_BYTES <= LONGEST_LINE) return line;
  const bytes = Buffer.from(line);
  if (more === 0 && bytes.length <= LONGEST_LINE) return line;
  let end = Math.min(bytes.length, LONGEST_LINE);
  // Do not cut a character in two: go back to its first byte.
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return `${bytes.toString("utf8", 0, end)}… [${bytes.length - end + more} bytes cut]`;
}

/** A text with fields behind it, as JSON on one line. Never throws. */
export function withFields(text: unknown, fields: unknown): string {
  const shown = inWords(text);
  if (fields === undefined) return shown;
  return `${shown} ${jsonOf(fields)}`.trimEnd();
}

/** Nearly all fields are plain. Values that JSON would change take three times as long. */
function jsonOf(fields: unknown): string {
  try {
    return encodeValue(fields);
  } catch {
    return JSON.stringify(nearestJson(fields, "fields").kept) ?? "";
  }
}

/** A JavaScript program may pass anything as a text. */
function inWords(text: unknown): string {
  if (typeof text === "string") return text;
  if (text instanceof Error) return String(text.stack ?? text);
  const { kept } = nearestJson(text, "text");
  return typeof kept === "string" ? kept : (JSON.stringify(kept) ?? String(typeof text));
}

/** Makes lines of raw output, which comes in pieces of any length. Keeps the start of the open line. */
export class RawLines {
  #open = "";
  /** Bytes of the open line that are not kept. */
  #more = 0;

  /** Adds a piece, and calls `line` for each line that it completes. */
  add(text: string, line: (text: string) => void): void {
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#extend(text.slice(from, end));
      this.end(line, true);
      from = end + 1;
    }
    if (from < text.length) this.#extend(text.slice(from));
  }

  /** Completes the open line, if there is one. `evenEmpty`: even if it has no text. */
  end(line: (text: string) => void, evenEmpty = false): void {
    const [open, more] = [this.#open, this.#more];
    this.#open = "";
    this.#more = 0;
    if (evenEmpty || open !== "") line(cut(lastState(open), more));
  }

  #extend(text: string): void {
    // Overwritten text need not be kept. A carriage return at the very end may belong to a line break.
    const last = text.replace(/\r+$/, "").lastIndexOf("\r");
    if (last >= 0 || (this.#open.endsWith("\r") && /[^\r]/.test(text))) {
      this.#open = "";
      this.#more = 0;
    }
    const open = this.#open + text.slice(last + 1);
    const end = Math.min(open.length, isHighSurrogate(open, LONGEST_LINE - 1) ? LONGEST_LINE - 1 : LONGEST_LINE);
    this.#open = open.slice(0, end);
    this.#more += Buffer.byteLength(open.slice(end));
  }
}

function isHighSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xd800 && code < 0xdc00;
}

/** The size of an entry in a store besides its text, in bytes. It bounds the number of small chunks. */
const ENTRY = 256;

/** The chunks of a log that a store keeps: the first ones, up to `head`, and the last ones, up to `tail`. */
export class Ring {
  /** Bytes that are left in the head. Its last chunk may be longer: it takes the rest from the tail. */
  #headLeft: number;
  #tailMost: number;
  /** How many chunks are in the head. */
  #head = 0;
  readonly #tail: { readonly seq: number; readonly size: number }[] = [];
  #tailSize = 0;
  #next = 0;

  constructor(budget: Pick<LogBudget, "head" | "tail">) {
    this.#headLeft = budget.head;
    this.#tailMost = budget.tail;
  }

  get next(): number {
    return this.#next;
  }

  /** Adds a chunk of this length. Returns its number, and the chunks to delete for it, `most` at most. */
  add(bytes: number, most: number): { readonly seq: number; readonly deletes: readonly number[] } {
    const seq = this.#next++;
    const size = bytes + ENTRY;
    if (this.#headLeft > 0) {
      this.#headLeft -= size;
      if (this.#headLeft < 0) this.#tailMost += this.#headLeft;
      this.#head++;
      return { seq, deletes: [] };
    }
    this.#tail.push({ seq, size });
    this.#tailSize += size;
    const deletes: number[] = [];
    // The chunk itself is kept, however small the budget is.
    while (this.#tailSize > this.#tailMost && this.#tail.length > 1 && deletes.length < most) {
      const oldest = this.#tail.shift();
      if (oldest === undefined) break;
      this.#tailSize -= oldest.size;
      deletes.push(oldest.seq);
    }
    return { seq, deletes };
  }

  kept(): number[] {
    return [...Array.from({ length: this.#head }, (_, seq) => seq), ...this.#tail.map(({ seq }) => seq)];
  }
}
