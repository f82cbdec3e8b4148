import { ChannelError } from "@ojm/core/backend";
import type { Random } from "../../case/random.js";
import type { Faults } from "../../harness/harness.js";

/** How long a client waits before it counts a message as lost, in ms of real time. */
export const PATIENCE = 60;

/**
 * The network between clients and a server in one process. Messages arrive in a random order, and get lost on
 * demand. A client gives up only a message that is really lost, so that a busy machine never looks like a
 * fault.
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
  /** The number of messages sent, whether answered or lost. */
  roundTrips = 0;

  constructor(random: Random, onRestart: () => void) {
    this.#random = random;
    this.#onRestart = onRestart;
  }

  /** Whether messages from the server arrive. */
  get hears(): boolean {
    return !this.#partitioned && !this.#deaf;
  }

  /** Calls `listener` whenever a lost connection is back. Returns a function that removes the listener. */
  onReconnect(listener: () => void): () => void {
    this.#reconnects.add(listener);
    return () => void this.#reconnects.delete(listener);
  }

  /**
   * Sends a message that makes the server do `work`. Resolves to the answer. If the message or the answer is
   * lost, rejects with a `TIMEOUT` and the given `outcome`.
   */
  async send<T>(work: () => T, outcome: "not-applied" | "unknown"): Promise<T> {
    this.roundTrips++;
    const life = this.#life;
    // Decided here, so that it does not depend on how fast the machine is: this answer is lost.
    const isDeaf = this.#deaf;
    await this.travel();
    if (this.#partitioned) return lost(outcome);
    if (this.#resumed !== undefined) {
      const hung = lost(outcome);
      // The server executes the message when it resumes, even if no client waits for it any more.
      const late = this.#resumed.then(() => (life === this.#life ? work() : lost(outcome)));
      late.catch(() => {});
      return hung;
    }
    if (life !== this.#life) return lost(outcome);
    const answer = work();
    await this.travel();
    return this.hears && !isDeaf && life === this.#life ? answer : lost(outcome);
  }

  /** Resolves after the time that a message takes. */
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
