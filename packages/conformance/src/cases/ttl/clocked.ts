import assert from "node:assert/strict";
import type { Channel, Key } from "@ojm/core";
import type { CaseContext } from "../../case/context.js";

/** How much the store's clock may be coarser than ours: some count whole milliseconds. */
export const GRAIN = 5;

/**
 * A write with a time to live, and when by our clock it must still be visible and when not any more. The
 * store applied it at some moment between sending and answer, so between the two deadlines nothing is
 * promised. Comparing only times that we measured ourselves, each in the direction in which a delay does no
 * harm, no noise can make a right store look wrong.
 */
export class Brief {
  readonly #t: CaseContext;
  readonly #visibleUntil: number;
  readonly #goneFrom: number;

  private constructor(t: CaseContext, sent: number, answered: number, ttl: number) {
    this.#t = t;
    this.#visibleUntil = sent + ttl - GRAIN;
    this.#goneFrom = answered + ttl + GRAIN;
  }

  /** Does a write that gives `ttl`. */
  static async write(t: CaseContext, ttl: number, write: () => Promise<unknown>): Promise<Brief> {
    const sent = t.clock.monotonic();
    await write();
    return new Brief(t, sent, t.clock.monotonic(), ttl);
  }

  /** What a look at the store saw, and what it had to see: `undefined` where nothing is promised. */
  async look<T>(read: () => Promise<T>): Promise<{ readonly seen: T; readonly visible: boolean | undefined }> {
    const sent = this.#t.clock.monotonic();
    const seen = await read();
    const answered = this.#t.clock.monotonic();
    const visible = answered < this.#visibleUntil ? true : sent > this.#goneFrom ? false : undefined;
    return { seen, visible };
  }

  /** Whether it is certainly gone for a look that is sent now. */
  get over(): boolean {
    return this.#t.clock.monotonic() > this.#goneFrom;
  }

  /** Lets time pass until it must be gone. */
  async gone(): Promise<void> {
    await this.#t.elapseUntil("the deadline passed", () => this.over);
  }
}

/** Reads `key` again and again until it must be gone: visible before the deadline, absent after it. */
export async function bothSides(t: CaseContext, brief: Brief, channel: Channel, key: Key): Promise<void> {
  for (let end = false; !end; ) {
    end = brief.over;
    const { seen, visible } = await brief.look(() => channel.entry(key));
    if (visible === true) assert.ok(seen !== undefined, `${String(key)} was gone before its deadline`);
    if (visible === false) assert.equal(seen, undefined, `${String(key)} was visible after its deadline`);
    if (!end) await t.elapse(t.store.advance === undefined ? 1 : GRAIN / 2);
  }
}
