import { inBackground } from "../../../channel/calls/background.js";
import { isNumber } from "../../../util/shape.js";
import type { RunRef } from "../../run-id.js";
import { progressKey } from "../chunk.js";
import type { Logs } from "../logs.js";
import type { Progress } from "../types.js";

/** The least time between two writes, in ms. */
const REST = 1_000;

/** The longest text of a progress, in characters. */
const LONGEST_TEXT = 1_000;

/** Writes the progress of a run, at most once a second. Between two writes, only the last one counts. */
export class ProgressWriter {
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

  /** Notes the progress. Returns at once, and never throws. */
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

  /** Writes the last progress, once. Resolves when that is done, or at once if the store is away. */
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
