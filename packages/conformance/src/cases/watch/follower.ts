import assert from "node:assert/strict";
import type { Channel, JsonValue, Key, WatchEvent } from "@ojm/core";
import type { CaseContext } from "../../case/context.js";

/** Follows a channel by a watch, and knows at any time which entries the watch has reported. */
export class Follower {
  /** The entries after all events so far. */
  readonly state: Map<string, { readonly value: JsonValue; readonly version: string }> = new Map();
  /** One text for each event: `put k 1`, `delete k`, `expired k`, `synced`, `gap`. */
  readonly log: string[] = [];
  readonly events: WatchEvent[] = [];
  gaps = 0;
  syncs = 0;
  ended = false;
  error: unknown;
  readonly #last: Map<string, bigint> = new Map();
  readonly #stop: AbortController = new AbortController();
  #done: Promise<void> = Promise.resolve();

  /** Starts a follower, which ends with the case. Resolves once the first snapshot is complete. */
  static async start(t: CaseContext, channel: Channel, prefix?: Key): Promise<Follower> {
    const follower = new Follower();
    follower.#done = follower.#follow(channel, prefix);
    t.later(() => follower.stop());
    await t.until("the watch is synced", () => follower.syncs > 0 || follower.ended);
    follower.assertAlive();
    return follower;
  }

  /** Ends the watch. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  assertAlive(): void {
    if (this.error !== undefined) throw this.error;
    assert.ok(!this.ended, "the watch ended by itself");
  }

  async #follow(channel: Channel, prefix: Key | undefined): Promise<void> {
    try {
      const options = prefix === undefined ? {} : { prefix };
      for await (const event of channel.watch({ ...options, signal: this.#stop.signal })) this.#take(event);
    } catch (error) {
      this.error = error;
    } finally {
      this.ended = true;
    }
  }

  #take(event: WatchEvent): void {
    this.events.push(event);
    if (event.type === "put") this.#put(event.entry);
    else if (event.type === "delete") this.#delete(event);
    else if (event.type === "synced") this.#synced();
    else this.#gap();
  }

  #put({ key, value, version }: { readonly key: Key; readonly value: JsonValue; readonly version: string }): void {
    const name = String(key);
    this.log.push(`put ${name} ${JSON.stringify(value)}`);
    this.#inOrder(name, version, false);
    this.state.set(name, { value, version });
  }

  #delete({ key, version, expired }: Extract<WatchEvent, { type: "delete" }>): void {
    const name = String(key);
    this.log.push(`${expired === true ? "expired" : "delete"} ${name}`);
    // An expiry is not a write: it has the version of the entry that it ends.
    this.#inOrder(name, version, expired === true);
    this.state.delete(name);
  }

  #inOrder(name: string, version: string, same: boolean): void {
    const last = this.#last.get(name);
    const now = BigInt(version);
    if (last !== undefined && (same ? now < last : now <= last)) {
      this.error ??= new Error(`the watch reported version ${version} of ${name} after ${last}`);
    }
    this.#last.set(name, now);
  }

  #synced(): void {
    this.log.push("synced");
    this.syncs++;
  }

  #gap(): void {
    this.log.push("gap");
    this.gaps++;
    this.state.clear();
    // The snapshot that follows may repeat versions that the watch has reported before.
    this.#last.clear();
  }

  /**
   * Waits until the watch has reported all entries of the channel. Throws if the two still differ in the end.
   */
  async catchesUp(t: CaseContext, channel: Channel): Promise<void> {
    const expected = new Map<string, { value: JsonValue; version: string }>();
    // Read it again each time: a write whose answer was lost may still be on its way.
    const same = async (): Promise<boolean> => {
      expected.clear();
      for await (const { key, value, version } of channel.entries()) expected.set(String(key), { value, version });
      return (
        this.syncs > this.gaps &&
        this.state.size === expected.size &&
        [...expected].every(([key, { version }]) => this.state.get(key)?.version === version)
      );
    };
    const isOver = async (): Promise<boolean> => (await same()) || this.error !== undefined || this.ended;
    try {
      await t.until("the watch reports what is in the channel", isOver);
    } finally {
      this.assertAlive();
      assert.deepEqual([...this.state].sort(byKey), [...expected].sort(byKey));
    }
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
