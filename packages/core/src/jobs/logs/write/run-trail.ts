import { inBackground } from "../../../channel/calls.js";
import { atMost } from "../../../util/event-loop.js";
import { isNumber } from "../../../util/shape.js";
import type { RunRef } from "../../run-id.js";
import type { RunRecord } from "../../types.js";
import { progressKey } from "../chunk.js";
import type { Logs } from "../logs.js";
import type { LogStream, Progress, RunLog } from "../types.js";
import { cut, LETTERS, LogWriter, lastState, linesOf, RawLines, withFields } from "./log-writer.js";

/** How long the end of a run waits for its last lines, in ms, unless the store is known to be away. */
const END_WAIT = 500;

/** The log and the progress of a run. It costs nothing until the run writes a line or sets its progress. */
export class RunTrail implements RunLog {
  readonly #logs: Logs;
  readonly #run: RunRef;
  readonly #raw: Map<LogStream, RawLines> = new Map();
  #lines: LogWriter | undefined;
  #progress: ProgressWriter | undefined;
  #isOver = false;

  constructor(logs: Logs, run: RunRef) {
    this.#logs = logs;
    this.#run = run;
  }

  debug(text: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#add(LETTERS.debug, text, fields);
  }

  info(text: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#add(LETTERS.info, text, fields);
  }

  warn(text: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#add(LETTERS.warn, text, fields);
  }

  error(text: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#add(LETTERS.error, text, fields);
  }

  write(text: string, stream: LogStream = "stdout"): void {
    if (this.#isOver || typeof text !== "string") return;
    const known = stream === "stderr" ? "stderr" : "stdout";
    const lines = this.#raw.get(known) ?? new RawLines();
    this.#raw.set(known, lines);
    lines.add(text, (line) => this.#writer().add(LETTERS[known], line));
  }

  /** The progress of the run. Returns at once, and never throws. */
  progress(done: number, total?: number, text?: string): void {
    if (this.#isOver) return;
    this.#progress ??= new ProgressWriter(this.#logs, this.#run);
    this.#progress.set(done, total, text);
  }

  #add(letter: string, text: string, fields: unknown): void {
    if (this.#isOver) return;
    const writer = this.#writer();
    if (fields === undefined && isPlain(text)) {
      writer.add(letter, text);
      return;
    }
    for (const line of linesOf(withFields(text, fields))) writer.add(letter, cut(lastState(line)));
  }

  #writer(): LogWriter {
    this.#lines ??= new LogWriter(this.#logs, this.#run);
    return this.#lines;
  }

  /** Completes the log during `closing`, the close of the record that has begun. Waits briefly for it. */
  async endWith(closing: Promise<RunRecord>): Promise<RunRecord> {
    for (const [stream, lines] of this.#raw) lines.end((line) => this.#writer().add(LETTERS[stream], line));
    this.#isOver = true;
    // Write the progress before the end of the log, because readers that follow the log stop at its end.
    const progress = this.#progress?.end();
    this.#lines?.end();
    try {
      const record = await closing;
      if (record.status === "completed" || record.status === "skipped") this.#forget(progress);
      return record;
    } finally {
      await this.#soon(progress);
    }
  }

  async #soon(progress: Promise<void> | undefined): Promise<void> {
    await atMost(this.#logs.clock, END_WAIT, Promise.all([this.#lines?.soon, progress]));
  }

  /** In the background: deletes the log of a completed run if the store keeps no such logs. */
  #forget(progress: Promise<void> | undefined): void {
    const lines = this.#lines;
    const soon = inBackground(async () => {
      await Promise.all([lines?.soon, progress]);
      const store = this.#logs.opened;
      if (store === undefined || store.budget.completed) return;
      await lines?.forget();
      if (this.#progress !== undefined) await store.channel.unset(progressKey(this.#run));
    });
    const late = { soon, giveUp: () => {} };
    this.#logs.addLate(late);
    void soon.then(() => this.#logs.removeLate(late));
  }
}

/** The most characters of a line that is certainly short enough. */
const SHORT_LINE = 5_000;

/** Whether a text is a line as it is. Nearly all are. */
function isPlain(text: unknown): text is string {
  return typeof text === "string" && text.length <= SHORT_LINE && !text.includes("\n") && !text.includes("\r");
}

/** The least time between two writes, in ms. */
const REST = 1_000;

/** The longest text of a progress, in characters. */
const LONGEST_TEXT = 1_000;

/** Writes the progress of a run, at most once a second. Between two writes, only the last one counts. */
class ProgressWriter {
  readonly #logs: Logs;
  readonly #run: RunRef;
  #next: Progress | undefined;
  #sending: Promise<void> | undefined;
  #restUntil = 0;
  #cancel: (() => void) | undefined;
  #isOver = false;
  /** Whether the last write failed. */
  #isAway = false;

  constructor(logs: Logs, run: RunRef) {
    this.#logs = logs;
    this.#run = { name: run.name, startTime: run.startTime };
  }

  set(done: unknown, total: unknown, text: unknown): void {
    if (this.#isOver || !isNumber(done)) return;
    this.#next = {
      done,
      ...(isNumber(total) && { total }),
      ...(typeof text === "string" && { text: text.slice(0, LONGEST_TEXT) }),
      at: this.#logs.clock.now(),
    };
    if (this.#cancel === undefined && this.#sending === undefined) this.#wake();
  }

  /** Writes the last progress, once. Resolves after the write, or at once if the store is away. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#cancel?.();
    this.#cancel = undefined;
    const written = this.#writeLast();
    if (!this.#isAway) await written;
  }

  async #writeLast(): Promise<void> {
    if (this.#sending !== undefined) await this.#sending;
    if (this.#next !== undefined) await this.#send();
  }

  #wake(): void {
    const { clock } = this.#logs;
    this.#cancel = clock.after(Math.max(0, this.#restUntil - clock.monotonic()), () => {
      this.#cancel = undefined;
      this.#sending = this.#send();
    });
  }

  async #send(): Promise<void> {
    const value = this.#next;
    if (value === undefined) return;
    this.#next = undefined;
    let isWritten = false;
    await inBackground(async () => {
      const { channel, budget } = this.#logs.opened ?? (await this.#logs.open());
      await channel.set(progressKey(this.#run), value, budget.ttl === undefined ? {} : { ttl: budget.ttl });
      isWritten = true;
    });
    this.#isAway = !isWritten;
    this.#restUntil = this.#logs.clock.monotonic() + REST;
    this.#sending = undefined;
    if (!this.#isOver && this.#next !== undefined) this.#wake();
  }
}
