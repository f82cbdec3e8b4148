import assert from "node:assert/strict";
import type { Channel, Key } from "@ojm/core";
import type { CaseContext } from "../../case/context.js";

/** How much coarser than ours the clock of the store may be, in ms: some stores count whole milliseconds. */
export const GRAIN = 5;

/**
 * A write with a time to live, and two deadlines by our clock. Until the first one the entry must be visible,
 * and from the second one on it must be absent. The store applied the write at some moment between sending
 * and answer, so between the deadlines nothing is promised. A store whose clock clients cannot read may also
 * count from when the reader first saw the entry, which is soon after the write.
 *
 * We compare only times that we measured ourselves, each in the direction in which a delay does no harm. So
 * noise cannot make a correct store look wrong.
 */
export class Brief {
  readonly #t: CaseContext;
  readonly #ttl: number;
  readonly #visibleUntil: number;
  #goneFrom: number;
  #isSeen = false;

  private constructor(t: CaseContext, sent: number, answered: number, ttl: number) {
    this.#t = t;
    this.#ttl = ttl;
    this.#visibleUntil = sent + ttl - GRAIN;
    this.#goneFrom = answered + ttl + GRAIN;
  }

  /** Calls `write`, which must write an entry with this `ttl`. */
  static async write(t: CaseContext, ttl: number, write: () => Promise<unknown>): Promise<Brief> {
    const sent = t.clock.monotonic();
    await write();
    return new Brief(t, sent, t.clock.monotonic(), ttl);
  }

  /**
   * Reads the store. Resolves to the result of `read`, and to whether the entry had to be visible:
   * `undefined` if nothing is promised.
   */
  async look<T>(read: () => Promise<T>): Promise<{ readonly seen: T; readonly visible: boolean | undefined }> {
    const sent = this.#t.clock.monotonic();
    const seen = await read();
    const answered = this.#t.clock.monotonic();
    if (!this.#isSeen) this.#goneFrom = Math.max(this.#goneFrom, answered + this.#ttl + GRAIN);
    this.#isSeen = true;
    const visible = answered < this.#visibleUntil ? true : sent > this.#goneFrom ? false : undefined;
    return { seen, visible };
  }

  /** Whether a read that is sent now must find the entry absent. */
  get over(): boolean {
    return this.#t.clock.monotonic() > this.#goneFrom;
  }

  /** Lets time pass until the entry must be absent. */
  async gone(): Promise<void> {
    await this.#t.elapseUntil("the deadline passed", () => this.over);
  }
}

/**
 * Reads `key` again and again until it must be absent. Throws unless it is visible before the deadline and
 * absent after it.
 */
export async function bothSides(t: CaseContext, brief: Brief, channel: Channel, key: Key): Promise<void> {
  for (let end = false; !end; ) {
    end = brief.over;
    const { seen, visible } = await brief.look(() => channel.entry(key));
    if (visible === true) assert.ok(seen !== undefined, `${String(key)} was gone before its deadline`);
    if (visible === false) assert.equal(seen, undefined, `${String(key)} was visible after its deadline`);
    if (!end) await t.elapse(t.store.advance === undefined ? 1 : GRAIN / 2);
  }
}
