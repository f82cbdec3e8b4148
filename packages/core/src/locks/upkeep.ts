import { inBackground } from "../background.js";
import type { Channel } from "../channel/channel.js";
import { isChannelError } from "../channel/errors.js";
import type { Entry } from "../channel/types.js";
import { compareVersions } from "../channel/version.js";
import { type LocksValue, type LockValue, lockKey } from "./entries.js";
import { isForeign, unlessForeign } from "./foreign.js";
import { type Lease, TAKEN } from "./lease.js";
import { leaveQueue } from "./queue.js";
import { removeEntry } from "./sweep.js";
import { isLock } from "./valid.js";

/** The most locks that the store is asked about in one commit. */
const AT_ONCE = 100;

/** What a heartbeat sees to: whether our locks are still ours, and what calls without an answer may have left in the store. */
export class Upkeep {
  /** By their tokens, and the last of each name. */
  readonly #leases: Map<string, Lease> = new Map();
  readonly #lastOf: Map<string, Lease> = new Map();
  /** Name by token of what may or may not be in the store. */
  readonly #abandoned: Map<string, string> = new Map();
  readonly #channel: Channel<LocksValue>;
  readonly #onOrphan: (lock: Entry<LockValue>) => Promise<void>;

  constructor(channel: Channel<LocksValue>, onOrphan: (lock: Entry<LockValue>) => Promise<void>) {
    this.#channel = channel;
    this.#onOrphan = onOrphan;
  }

  /** Those that were taken and not released. */
  get leases(): Lease[] {
    return [...this.#leases.values()];
  }

  find(token: string): Lease | undefined {
    return this.#leases.get(token);
  }

  /**
   * A lock was taken. Whoever of us had it before has lost it, though nothing has told that yet, and is told now, before the lease begins.
   * False if it is the lease that has lost it: it hears of its grant later than the next one of its own.
   */
  taken(lease: Lease): boolean {
    const { name, token, fence } = lease;
    this.#leases.set(token, lease);
    const other = this.#lastOf.get(name);
    // One that was told already is of a store that lost its data, where fences may begin anew.
    if (other?.held === true && compareVersions(other.fence, fence) > 0) return false;
    this.#lastOf.set(name, lease);
    if (other !== undefined) this.lost(other);
    return true;
  }

  /** It is released, or about to be. Resolves to whether it was not before. */
  remove({ token, name }: Pick<Lease, "token" | "name">): boolean {
    if (this.#lastOf.get(name)?.token === token) this.#lastOf.delete(name);
    return this.#leases.delete(token);
  }

  /** An attempt, a ticket or a lock of which nobody knows whether it is in the store: to be removed when the store can be asked. */
  abandon(name: string, token: string): void {
    this.#abandoned.set(token, name);
  }

  /** The session was just renewed. */
  async afterBeat(): Promise<void> {
    // What was abandoned before the beat reaches the store no more: it asks for the version that the session had until then. What is abandoned
    // from here on may still be under way.
    const abandoned = [...this.#abandoned];
    // Where it fails, the next heartbeat asks again; the deadline of the session does not depend on it.
    await inBackground(() => this.findLost(this.leases));
    await inBackground(() => this.#clear(abandoned));
  }

  /** Removes all that was abandoned, as far as it is there. */
  async clear(): Promise<void> {
    await this.#clear([...this.#abandoned]);
  }

  /** When the first lease that is held now runs out of its time. */
  earliestTimeout(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const lease of this.#leases.values()) if (lease.held && lease.until < earliest) earliest = lease.until;
    return earliest;
  }

  /** The entry of a lock is not ours any more. One that was released meanwhile has lost nothing. */
  lost(lease: Lease): void {
    if (!this.#leases.has(lease.token)) return;
    // A process that stood still lost it by that, and must not look for somebody who took it.
    lease.expire();
    lease.abort("LOST", TAKEN);
  }

  /** Asks the store whether these locks are still ours. */
  async findLost(all: readonly Lease[]): Promise<void> {
    // Of a name that was lost and taken again, the store cannot be asked twice at once.
    const leases = all.filter(({ held }) => held);
    const most = Math.min(this.#channel.supports.maxOps, AT_ONCE);
    for (let i = 0; i < leases.length; i += most) await this.#findLost(leases.slice(i, i + most));
  }

  async #findLost(leases: readonly Lease[]): Promise<void> {
    const checks = leases.map(({ name, fence }) => ({ check: lockKey(name), version: fence }));
    try {
      const result = await this.#channel.commit(checks);
      if (result.ok) return;
      for (const { index } of result.failed) {
        const lease = leases[index];
        if (lease !== undefined) this.lost(lease);
      }
    } catch (error) {
      if (!isForeign(error)) throw error;
      // What is read is what has failed: somebody wrote over one of them. Which one, each of them tells alone.
      if (leases.length > 1) for (const lease of leases) await this.#findLost([lease]);
      else for (const lease of leases) this.lost(lease);
    }
  }

  async #clear(abandoned: readonly (readonly [token: string, name: string])[]): Promise<void> {
    const failures: unknown[] = [];
    for (const [token, name] of abandoned) {
      try {
        await this.#clearOne(token, name);
      } catch (error) {
        // A store that is away is so for all. What one of them alone meets with must not keep the others.
        if (isChannelError(error) && error.retryable) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #clearOne(token: string, name: string): Promise<void> {
    await unlessForeign(leaveQueue(this.#channel, name, { token }));
    const lock = (await unlessForeign(this.#channel.entry(lockKey(name)))) as Entry<LockValue> | undefined;
    if (isLock(lock?.value, name) && lock.value.token === token) {
      await this.#onOrphan(lock);
      await removeEntry(this.#channel, lock);
    }
    this.#abandoned.delete(token);
  }
}
