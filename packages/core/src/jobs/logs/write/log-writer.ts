import { isChannelError } from "../../../channel/errors.js";
import type { Op } from "../../../channel/types.js";
import type { RunRef } from "../../run-id.js";
import { chunkKey, type LogChunk, type LogsValue } from "../chunk.js";
import type { LateWriter, LogStore, Logs } from "../logs.js";
import type { LogAmount } from "../types.js";
import { Ring } from "./ring.js";
import { sum, Waiting, type WaitingLimits } from "./waiting.js";

/** The most that waits in memory for one run, in bytes. */
const MOST_WAITING = 1_024 * 1_024;

/** The rest after a commit, as a multiple of what it took: a log takes a tenth of a store's time at most. */
const REST = 10;
const LONGEST_REST = 5_000;

/** The first rest after a failed commit, in ms. Each further one is twice as long. */
const FIRST_RETRY = 250;
const LONGEST_RETRY = 3_000;

/** How long a log is tried to be completed after the end of its run, in ms. */
const GIVE_UP = 60_000;

/** A chunk that is being written. */
interface Outgoing {
  readonly ops: readonly Op<LogsValue>[];
  readonly amount: LogAmount;
  readonly isEnd: boolean;
}

/** Writes the log of a run, one chunk at a time. Nobody waits for it while the run goes on. */
export class LogWriter implements LateWriter {
  /** Resolves once the log is complete, or a commit has failed since its run is over. */
  readonly soon: Promise<void>;
  readonly #run: RunRef;
  readonly #logs: Logs;
  readonly #limits: WaitingLimits;
  readonly #waiting: Waiting;
  #ring: Ring | undefined;
  /** What was dropped before the chunk that was written last. */
  #dropped: LogAmount = { lines: 0, bytes: 0 };
  /** Sent, and not yet acknowledged. It is sent again as it is: it may have been written. */
  #outgoing: Outgoing | undefined;
  #state: "open" | "ending" | "over" = "open";
  #isSending = false;
  /** Whether the end of the log was written. */
  #isComplete = false;
  #failures = 0;
  #restUntil = 0;
  #endedAt = 0;
  #cancel: (() => void) | undefined;
  /** Whether the timer waits for nothing but the end of the rest. */
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

  /** Completes the log: writes what waits, at once and without rests, and its end. */
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

  /** Deletes the lines of a run that completed, where the store keeps no such lines. Their number stays. */
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

  /** Sets the timer of the next commit. */
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
      // An `await` of an open store would let the commit of the run's end overtake the last lines.
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

  /** The store will never take this chunk. Its lines are told as dropped. */
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
