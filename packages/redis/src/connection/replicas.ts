import { ChannelError } from "@ojm/core/backend";
import type { RedisClient } from "./client.js";

/**
 * Asks whether replicas have the latest writes. `WAIT` blocks the whole connection, so only one is in flight
 * at a time. All commits that are answered meanwhile share the next one, and fail if the one in flight fails.
 */
export class Replicas {
  /** How many replicas must have a write. */
  readonly count: number;
  readonly #longest: string;
  readonly #where: string;
  #underWay: Promise<number> | undefined;
  #next: Promise<number> | undefined;

  /** @param longest how long the replicas have to answer, in ms */
  constructor(count: number, longest: number, where: string) {
    this.count = count;
    this.#longest = String(Math.ceil(longest));
    this.#where = where;
  }

  /**
   * Resolves once enough replicas have everything that was written on this connection until now. Call it as
   * soon as the commit is answered: if the client reconnects first, a server that does not have the commit
   * would confirm it.
   *
   * @param applied whether the commit was applied; otherwise one of its checks failed
   * @throws ChannelError `UNAVAILABLE` if too few replicas confirm. The applied write may be lost with the
   * master, and so may the state that a failed check found.
   */
  async confirm(client: RedisClient, applied: boolean): Promise<void> {
    let reached = 0;
    let cause: unknown;
    try {
      reached = await this.#ask(client);
    } catch (error) {
      cause = error;
    }
    if (reached >= this.count) return;
    const what = applied ? "wrote" : "found that a check failed";
    const message = `${this.#where} ${what}, but only ${reached} of ${this.count} replicas said that they have that state`;
    const outcome = applied ? "unknown" : "not-applied";
    throw new ChannelError("UNAVAILABLE", message, { retryable: true, outcome, cause });
  }

  #ask(client: RedisClient): Promise<number> {
    const before = this.#underWay;
    if (before === undefined) return this.#send(client);
    // The `WAIT` in flight may have been sent before our commit was done, so use the next one.
    this.#next ??= this.#after(before, client);
    return this.#next;
  }

  async #after(before: Promise<number>, client: RedisClient): Promise<number> {
    try {
      const reached = await before;
      if (reached < this.count) return reached;
    } finally {
      this.#next = undefined;
    }
    return this.#send(client);
  }

  async #send(client: RedisClient): Promise<number> {
    const answer = client.call("WAIT", String(this.count), this.#longest).then(Number);
    this.#underWay = answer;
    try {
      return await answer;
    } finally {
      if (this.#underWay === answer) this.#underWay = undefined;
    }
  }
}
