import { unlessCorrupt } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import { isChannelError } from "../../channel/errors.js";
import type { Entry } from "../../channel/types.js";
import type { BeforeRemoval } from "../atomic-writes.js";
import { leaveQueue } from "../entries/queue.js";
import { removeEntry } from "../entries/remove.js";
import { type LocksValue, type LockValue, lockKey } from "../entries/schema.js";
import { isLock } from "../entries/valid.js";

/** An attempt, a ticket or a lock that may or may not be in the store. */
export type Leftover = readonly [token: string, name: string];

interface Left {
  readonly name: string;
  readonly before: BeforeRemoval | undefined;
  /** Whether nobody was given the lock. */
  readonly isUnused: boolean;
}

/** What is done for a lock before it is removed. `isUnused`: its process lives, and gave it to nobody. */
export type OnOrphan = (lock: Entry<LockValue>, isUnused: boolean) => Promise<void>;

/** Leftovers of calls without an answer, until they are removed from the store. */
export class PendingCleanup {
  /** By token. */
  readonly #leftovers: Map<string, Left> = new Map();
  readonly #channel: Channel<LocksValue>;
  readonly #onOrphan: OnOrphan;

  constructor(channel: Channel<LocksValue>, onOrphan: OnOrphan) {
    this.#channel = channel;
    this.#onOrphan = onOrphan;
  }

  /** Adds a leftover. The next heartbeat removes it. `before`: what the owner of the lock does first. */
  add(name: string, token: string, before?: BeforeRemoval): void {
    this.#leftovers.set(token, { name, before, isUnused: false });
  }

  /** Adds an attempt or a ticket whose caller was told that it has no lock. The next heartbeat removes it. */
  abandon(name: string, token: string): void {
    this.#leftovers.set(token, { name, before: undefined, isUnused: true });
  }

  get size(): number {
    return this.#leftovers.size;
  }

  get all(): Leftover[] {
    return [...this.#leftovers].map(([token, { name }]) => [token, name]);
  }

  /** Those whose owner has something to do first. No call that takes such a lock is on its way any more. */
  get owned(): Leftover[] {
    return this.all.filter(([token]) => this.#leftovers.get(token)?.before !== undefined);
  }

  /** Closes what the owner of a lock left open. Call it before the lock is removed or taken over. */
  async closeOwner(lock: Entry<LockValue>): Promise<void> {
    const left = this.#leftovers.get(lock.value.token);
    if (left?.before === undefined) await this.#onOrphan(lock, left?.isUnused === true);
    else await left.before(lock);
  }

  /** Removes those leftovers that are in the store. */
  async remove(leftovers: readonly Leftover[]): Promise<void> {
    const failures: unknown[] = [];
    for (const [token, name] of leftovers) {
      try {
        await this.#remove(token, name);
      } catch (error) {
        // If the store is away, every leftover would fail. Any other error concerns this leftover alone and
        // must not stop the rest.
        if (isChannelError(error) && error.retryable) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #remove(token: string, name: string): Promise<void> {
    await unlessCorrupt(leaveQueue(this.#channel, name, { token }));
    let lock = await this.#lockOf(token, name);
    while (lock !== undefined) {
      await this.closeOwner(lock);
      await removeEntry(this.#channel, lock);
      // A release that was on its way may have kept the lock meanwhile, with the same token.
      const { version } = lock;
      lock = await this.#lockOf(token, name);
      if (lock?.version === version) break;
    }
    this.#leftovers.delete(token);
  }

  async #lockOf(token: string, name: string): Promise<Entry<LockValue> | undefined> {
    const lock = (await unlessCorrupt(this.#channel.entry(lockKey(name)))) as Entry<LockValue> | undefined;
    return lock !== undefined && isLock(lock.value, name) && lock.value.token === token ? lock : undefined;
  }
}
