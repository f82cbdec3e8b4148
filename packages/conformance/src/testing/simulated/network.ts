import { ChannelError } from "@ojm/core/backend";
import type { Random } from "../../case/random.js";
import type { Faults } from "../../harness/harness.js";

/** How long a client waits before it takes a message for lost, in ms of real time. */
export const PATIENCE = 60;

/**
 * The way between clients and a server in one process: messages take turns in an order that differs from run
 * to run, and get lost on demand. Only a message that is really lost is given up, so that a busy machine
 * never looks like a fault.
 */
export class Network implements Faults {
  readonly #random: Random;
  readonly #onRestart: () => void;
  #partitioned = false;
  #deaf = false;
  #extra = 0;
  #resumed: Promise<void> | undefined;
  #life = 0;
  readonly #reconnects: Set<() => void> = new Set();
  /** Messages that were answered or lost. */
  roundTrips = 0;

  constructor(random: Random, onRestart: () => void) {
    this.#random = random;
    this.#onRestart = onRestart;
  }

  /** Whether what the server sends arrives. */
  get hears(): boolean {
    return !this.#partitioned && !this.#deaf;
  }

  /** Calls `listener` whenever a connection that was lost is there again. */
  onReconnect(listener: () => void): () => void {
    this.#reconnects.add(listener);
    return () => void this.#reconnects.delete(listener);
  }

  /** Sends a message that makes the server do `work`, and brings back what it answers. */
  async send<T>(work: () => T, outcome: "not-applied" | "unknown"): Promise<T> {
    this.roundTrips++;
    const life = this.#life;
    await this.travel();
    if (this.#partitioned) return lost(outcome);
    if (this.#resumed !== undefined) {
      const hung = lost(outcome);
      // Carried out when the server goes on, whether or not anybody still waits for it.
      const late = this.#resumed.then(() => (life === this.#life ? work() : lost(outcome)));
      late.catch(() => {});
      return hung;
    }
    if (life !== this.#life) return lost(outcome);
    const answer = work();
    await this.travel();
    return this.hears && life === this.#life ? answer : lost(outcome);
  }

  /** Takes as long as a message takes. */
  async travel(): Promise<void> {
    for (let hops = 1 + this.#random.int(3); hops > 0; hops--) await new Promise((resolve) => setImmediate(resolve));
    if (this.#extra > 0) await sleep(this.#extra);
  }

  async partition(): Promise<() => Promise<void>> {
    this.#partitioned = true;
    return async () => {
      this.#partitioned = false;
      this.#reconnect();
    };
  }

  async dropReplies(): Promise<() => Promise<void>> {
    this.#deaf = true;
    return async () => {
      this.#deaf = false;
      this.#reconnect();
    };
  }

  async delay(ms: number): Promise<() => Promise<void>> {
    this.#extra = ms;
    return async () => {
      this.#extra = 0;
    };
  }

  async pause(): Promise<() => Promise<void>> {
    let resume = (): void => {};
    this.#resumed = new Promise((resolve) => {
      resume = resolve;
    });
    return async () => {
      this.#resumed = undefined;
      resume();
      await this.travel();
    };
  }

  async restart(): Promise<void> {
    this.#life++;
    this.#onRestart();
    await this.travel();
    this.#reconnect();
  }

  #reconnect(): void {
    for (const listener of [...this.#reconnects]) listener();
  }
}

async function lost(outcome: "not-applied" | "unknown"): Promise<never> {
  await sleep(PATIENCE);
  throw new ChannelError("TIMEOUT", `no answer within ${PATIENCE} ms`, { retryable: true, outcome });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
