import { inBackground, isFull } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { unlessCorrupt } from "../../channel/corrupt.js";
import { isChannelError } from "../../channel/errors.js";
import type { Entry } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import { durationText } from "../../util/duration.js";
import { visible } from "../../util/text.js";
import { emitWarning } from "../../util/warning.js";
import type { BeforeRemoval } from "../atomic-writes.js";
import { type LocksValue, type LockValue, lockKey } from "../entries/schema.js";
import { isLock, removeEntry } from "../entries/valid.js";
import { leaveQueue } from "../entries/view.js";

/** An attempt, a ticket or a lock that may or may not be in the store. */
type Leftover = readonly [token: string, name: string];

interface PendingRemoval {
  readonly name: string;
  readonly before: BeforeRemoval | undefined;
  /** Whether no caller got the lock. */
  readonly isUnused: boolean;
}

/** Called for a lock before it is removed. `isUnused`: its process lives, but no caller got the lock. */
type OnOrphan = (lock: Entry<LockValue>, isUnused: boolean) => Promise<void>;

/** Leftovers of calls without an answer, until they are removed from the store. */
export class PendingCleanup {
  /** By token. */
  readonly #leftovers: Map<string, PendingRemoval> = new Map();
  readonly #channel: Channel<LocksValue>;
  readonly #onOrphan: OnOrphan;

  constructor(channel: Channel<LocksValue>, onOrphan: OnOrphan) {
    this.#channel = channel;
    this.#onOrphan = onOrphan;
  }

  /** Adds a leftover, which the next heartbeat removes. `before`: the owner's writes before the removal. */
  add(name: string, token: string, before?: BeforeRemoval): void {
    this.#leftovers.set(token, { name, before, isUnused: false });
  }

  /** Adds an attempt or a ticket whose caller believes that it has no lock. The next heartbeat removes it. */
  abandon(name: string, token: string): void {
    this.#leftovers.set(token, { name, before: undefined, isUnused: true });
  }

  get size(): number {
    return this.#leftovers.size;
  }

  get all(): Leftover[] {
    return [...this.#leftovers].map(([token, { name }]) => [token, name]);
  }

  /**
   * The leftovers whose owner must write something before the lock is removed. They can be removed at any
   * time, because no call that takes such a lock is still under way.
   */
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
        // If the store is away, all would fail. Any other error concerns one leftover, not the rest.
        if (isChannelError(error) && error.retryable) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #remove(token: string, name: string): Promise<void> {
    await unlessCorrupt(leaveQueue(this.#channel, name, { token }));
    const lock = (await unlessCorrupt(this.#channel.entry(lockKey(name)))) as Entry<LockValue> | undefined;
    if (lock !== undefined && isLock(lock.value, name) && lock.value.token === token) {
      await this.closeOwner(lock);
      await removeEntry(this.#channel, lock);
    }
    this.#leftovers.delete(token);
  }
}

/** The pause between two attempts, in ms. */
const PAUSE = 500;

/** The most names in a warning. */
const MOST_SHOWN = 5;

/**
 * Removes the locks of runs whose end could not be recorded because the store was full, once there is room.
 * It has its own timer instead of the heartbeats: a session that could not be renewed has none.
 */
export class UnwrittenEnds {
  readonly #cleanup: PendingCleanup;
  readonly #clock: Clock;
  readonly #ttl: number;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(cleanup: PendingCleanup, clock: Clock, ttl: number) {
    this.#cleanup = cleanup;
    this.#clock = clock;
    this.#ttl = ttl;
  }

  /** Adds a lock that could not be released. With `before`, its owner has an end to write. */
  add(name: string, token: string, before: BeforeRemoval | undefined): void {
    this.#cleanup.add(name, token, before);
    if (before !== undefined) this.#arm();
  }

  /**
   * While the store is full, retries until all ends are written, for one `ttl` at most. A process warning
   * reports the problem at once. After the `ttl`, another one names the runs whose end is still missing,
   * because no other process can know why they have none.
   */
  async finish(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    const until = this.#clock.monotonic() + this.#ttl;
    for (let warned = false; ; warned = true) {
      const error = await this.#write();
      if (!isFull(error)) return;
      const why = error.message;
      if (this.#clock.monotonic() >= until) {
        this.#warn(`is not recorded: ${why}. The next process that finds it open records it as lost`);
        return;
      }
      if (!warned)
        this.#warn(`is not recorded yet: ${why}. This process waits up to ${durationText(this.#ttl)} for room`);
      await new Promise<void>((resolve) => void this.#clock.after(PAUSE, resolve, true));
    }
  }

  #arm(): void {
    if (this.#closed || this.#cancel !== undefined) return;
    this.#cancel = this.#clock.after(PAUSE, () => {
      this.#cancel = undefined;
      void inBackground(() => this.#cleanup.remove(this.#cleanup.owned)).then(() => {
        if (this.#cleanup.owned.length > 0) this.#arm();
      });
    });
  }

  /** Resolves to the error, if there was one. Errors other than a full store are left to `close()`. */
  async #write(): Promise<unknown> {
    try {
      await this.#cleanup.remove(this.#cleanup.owned);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #warn(what: string): void {
    const names = [...new Set(this.#cleanup.owned.map(([, name]) => `"${name}"`))];
    const shown = names.slice(0, MOST_SHOWN).join(", ");
    const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : "";
    emitWarning("OJM_FULL", visible(`the end of the run of ${shown}${more} ${what}`));
  }
}
