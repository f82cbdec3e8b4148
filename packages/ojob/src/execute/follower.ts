import { type Channel, compareVersions, type Version } from "@ojm/core";

/** A change of a channel, as the args of the job that it starts. */
export type Change = {
  readonly ch: string;
  readonly op: "set" | "unset";
  readonly k: unknown;
  /** The new value of a `set`. */
  readonly v?: unknown;
};

/** What is made of the changes. */
export interface Subscriber {
  /** Called for each change, in their order: for the next one when this one is done with. */
  readonly onChange: (change: Change) => Promise<unknown>;
  /** Changes came faster than they were done with, or while the store was away: those between are not told. The last state of each key is. */
  readonly onGap: () => void;
  /** Followed no more: so many changes were waiting. */
  readonly onDropped: (count: number) => void;
}

/**
 * How many changes are read ahead of the one that is being told. When so many wait, nothing more is read, and the channel keeps
 * what comes: its own watch holds 10,000 changes, and then gives a gap and the state as it is, instead of growing.
 */
const AHEAD = 10;

/** Tells the changes of one channel, one after the other. */
export class Follower {
  readonly #channel: Channel;
  readonly #subscriber: Subscriber;
  readonly #signal: AbortSignal;
  /** Changes that wait to be told. */
  readonly #queue: Change[] = [];
  /**
   * The keys that are there, as JSON, in the version that was met last. After a gap it tells what is new: by key, for one commit gives all its
   * entries the same version; and which keys were deleted meanwhile, for those are in no snapshot.
   */
  readonly #present = new Map<string, Version>();
  /** While the state after a gap is read: the keys that were there before it and have not been met again. */
  #missing: Set<string> | undefined;
  /** Whether a change is being told. */
  #busy = false;
  #wakeReader: (() => void) | undefined;
  #whenIdle: (() => void)[] = [];
  /** How many changes were told. */
  told = 0;

  constructor(channel: Channel, subscriber: Subscriber, signal: AbortSignal) {
    this.#channel = channel;
    this.#subscriber = subscriber;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#drop(), { once: true });
  }

  /** Follows the channel until the signal fires; `begin` is called when it does. Rejects if the store fails. */
  async follow(begin: () => void): Promise<void> {
    try {
      await this.#read(begin);
    } finally {
      this.#missing = undefined;
      this.#settle();
    }
  }

  /** Resolves when nothing waits to be told. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
      this.#settle();
    });
  }

  async #read(begin: () => void): Promise<void> {
    let live = false;
    for await (const event of this.#channel.watch({ signal: this.#signal })) {
      if (event.type === "put") {
        const { key: k, value: v, version } = event.entry;
        const isNew = this.#meet(k, version);
        // What the first snapshot holds is no change.
        if (live && isNew) await this.#add({ ch: this.#channel.name, op: "set", k, v });
      } else if (event.type === "delete") {
        this.#meet(event.key, undefined);
        await this.#add({ ch: this.#channel.name, op: "unset", k: event.key });
      } else if (event.type === "gap") {
        if (live) this.#subscriber.onGap();
        this.#missing = new Set(this.#present.keys());
      } else {
        await this.#forgetMissing(live);
        if (!live) begin();
        live = true;
      }
    }
  }

  /** Notes that a key is there, in this version, or that it is not. Returns whether that is news. */
  #meet(key: unknown, version: Version | undefined): boolean {
    const id = JSON.stringify(key);
    const before = this.#present.get(id);
    this.#missing?.delete(id);
    if (version === undefined) return this.#present.delete(id);
    if (before !== undefined && compareVersions(version, before) <= 0) return false;
    this.#present.set(id, version);
    return true;
  }

  /** The state after a gap is whole: what is not in it was deleted meanwhile. */
  async #forgetMissing(tell: boolean): Promise<void> {
    for (const id of this.#missing ?? []) {
      this.#present.delete(id);
      if (tell) await this.#add({ ch: this.#channel.name, op: "unset", k: JSON.parse(id) });
    }
    this.#missing = undefined;
    this.#settle();
  }

  /** Resolves when the next change may be read. */
  async #add(change: Change): Promise<void> {
    if (this.#signal.aborted) return;
    this.#queue.push(change);
    void this.#tell();
    while (this.#queue.length >= AHEAD) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  async #tell(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let change = this.#queue.shift(); change !== undefined; change = this.#queue.shift()) {
      this.#wakeReader?.();
      this.told++;
      await this.#subscriber.onChange(change);
    }
    this.#busy = false;
    this.#settle();
  }

  #drop(): void {
    const { length } = this.#queue.splice(0);
    if (length > 0) this.#subscriber.onDropped(length);
    this.#wakeReader?.();
    this.#settle();
  }

  #settle(): void {
    if (this.#busy || this.#queue.length > 0 || (this.#missing !== undefined && !this.#signal.aborted)) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
