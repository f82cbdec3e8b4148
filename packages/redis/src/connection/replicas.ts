import { ChannelError } from "@ojm/core/backend";
import type { RedisClient } from "./client.js";

/**
 * Asks replicas whether they have what was written. `WAIT` keeps the whole connection waiting, so that one
 * question at a time is under way: all commits that are answered meanwhile share the next one, and fail with
 * this one if it fails.
 */
export class Replicas {
  /** How many must have a write. */
  readonly count: number;
  readonly #longest: string;
  readonly #where: string;
  #underWay: Promise<number> | undefined;
  #next: Promise<number> | undefined;

  /** @param longest for how long they have time to answer, in ms */
  constructor(count: number, longest: number, where: string) {
    this.count = count;
    this.#longest = String(Math.ceil(longest));
    this.#where = where;
  }

  /**
   * Resolves once enough replicas have all that was written on this connection until now. To be called as
   * soon as the commit is answered: a server that is connected to afterwards knows nothing of it, and says
   * yes.
   *
   * @param applied whether the commit was, or else a check of it failed
   * @throws ChannelError `UNAVAILABLE`. What was applied may be lost with the master, and so may what the
   * check has found.
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
    // One that is under way may have been sent before our commit was done.
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
