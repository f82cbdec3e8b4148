import type { LogBudget } from "../../channel/backend/backend.js";
import type { Channel } from "../../channel/channel.js";
import { isChannelError } from "../../channel/errors.js";
import { openChannel } from "../../channel/open.js";
import type { OpenOptions } from "../../channel/types.js";
import { atMost } from "../../util/at-most.js";
import type { Clock } from "../../util/clock.js";
import type { InMs } from "../../util/duration.js";
import { EventChannel } from "../../util/events.js";
import { LINES, visible } from "../../util/visible.js";
import { emitWarning } from "../../util/warning.js";
import { type RunRef, runId } from "../run-id.js";
import { budgetOf, type LogBudgetOptions } from "./budget.js";
import type { LogsValue } from "./chunk.js";
import type { LogAmount, LogDroppedEvent } from "./types.js";

export const LOGS = "oJobManager-logs";

/** The size of a chunk in bytes, and the longest wait of a line in ms, before the store is known. */
const FIRST_CHUNK = 32 * 1_024;
const FIRST_INTERVAL = 250;

/** The most full chunks that wait in memory, of all logs of a manager, in bytes. */
const MOST_WAITING = 32 * 1_024 * 1_024;

/** How long the close of a manager waits for the last lines of logs, in ms. */
const CLOSE_WAIT = 2_000;

const logDropped: EventChannel<LogDroppedEvent> = new EventChannel("ojm:log:dropped");

/** The store of the logs, open. */
export interface LogStore {
  readonly channel: Channel<LogsValue>;
  readonly budget: LogBudget;
}

/** Something that may still write when its run is over. */
export interface LateWriter {
  /** Resolves once it has written all, or has failed once since its run is over. */
  readonly soon: Promise<void>;
  /** Ends its attempts. */
  giveUp(): void;
}

/** The channel of the logs of a manager. It is opened with the first line: most runs have no log. */
export class Logs {
  readonly clock: Clock;
  readonly room: { used: number; readonly most: number } = { used: 0, most: MOST_WAITING };
  readonly #config: OpenOptions;
  readonly #own: InMs<LogBudgetOptions> | undefined;
  readonly #late: Set<LateWriter> = new Set();
  #opening: Promise<LogStore> | undefined;
  #opened: LogStore | undefined;
  #warned = false;
  #closed = false;

  constructor(config: OpenOptions, clock: Clock, own?: InMs<LogBudgetOptions>) {
    this.clock = clock;
    this.#config = config;
    this.#own = own;
  }

  /** The size of chunks, as far as it is known. */
  get chunk(): number {
    return this.#opened?.budget.chunk ?? this.#own?.chunk ?? FIRST_CHUNK;
  }

  /** How long lines wait, as far as it is known. */
  get interval(): number {
    return this.#opened?.budget.interval ?? this.#own?.interval ?? FIRST_INTERVAL;
  }

  /** The store, if it is open. */
  get opened(): LogStore | undefined {
    return this.#opened;
  }

  /** Opens the store, once. After a failure, the next call tries again. */
  open(): Promise<LogStore> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<LogStore> {
    const channel = await openChannel<LogsValue>(LOGS, { ...this.#config, clock: this.clock });
    if (this.#closed) await channel.close();
    this.#opened = { channel, budget: budgetOf(channel.supports, this.#own) };
    return this.#opened;
  }

  /** Remembers a writer whose run is over, until it has written all. */
  addLate(writer: LateWriter): void {
    this.#late.add(writer);
  }

  removeLate(writer: LateWriter): void {
    this.#late.delete(writer);
  }

  /** Tells listeners of the process that lines of a run were dropped. */
  dropped(run: RunRef, { lines, bytes }: LogAmount): void {
    logDropped.publish(() => ({ id: runId(run), lines, bytes }));
  }

  /** Warns, once, of an error that does not pass by itself. A store that is away comes back. */
  failed(error: unknown): void {
    if (this.#warned || (isChannelError(error) && (error.retryable || error.code === "CLOSED"))) return;
    this.#warned = true;
    const why = error instanceof Error ? error.message : String(error);
    const text = `the logs of runs cannot be written: ${visible(why, LINES)}`;
    emitWarning("OJM_LOG", text);
  }

  /** Waits for the last lines, for a moment and not if the store is away. Then closes the channel. */
  async close(): Promise<void> {
    await atMost(this.clock, CLOSE_WAIT, Promise.all([...this.#late].map(({ soon }) => soon)));
    this.#closed = true;
    for (const writer of [...this.#late]) writer.giveUp();
    await this.#opened?.channel.close();
  }
}
