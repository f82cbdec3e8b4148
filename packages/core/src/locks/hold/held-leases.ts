import { failedCheck } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { isCorrupt } from "../../channel/corrupt.js";
import { compareVersions } from "../../channel/encoding/version.js";
import type { Clock } from "../../util/clock.js";
import { type LocksValue, lockKey } from "../entries/schema.js";
import type { Session } from "../session/session.js";
import type { Lease } from "./lease.js";

/** The most locks that one commit checks. */
const AT_ONCE = 100;

/** The leases of this process. Checks whether the store still has their locks. */
export class HeldLeases {
  /** By token, and the latest lease of each name. */
  readonly #leases: Map<string, Lease> = new Map();
  readonly #lastOf: Map<string, Lease> = new Map();
  readonly #channel: Channel<LocksValue>;
  readonly #sessions: Set<Session> = new Set();

  constructor(channel: Channel<LocksValue>) {
    this.#channel = channel;
  }

  get all(): Lease[] {
    return [...this.#leases.values()];
  }

  get size(): number {
    return this.#leases.size;
  }

  find(token: string): Lease | undefined {
    return this.#leases.get(token);
  }

  /**
   * Adds a lease that was just taken. Any earlier lease of this process on the name is lost: its signal fires
   * before the new lease begins.
   *
   * Returns false if the new lease itself is lost: a lease with a higher fence was added before it, because
   * the answer to the later commit came first.
   */
  add(lease: Lease): boolean {
    const { name, token, fence, session } = lease;
    this.#leases.set(token, lease);
    if (!this.#sessions.has(session)) this.#follow(session);
    const other = this.#lastOf.get(name);
    // Ignore a lease that is over: if the store lost its data, fences may have begun again.
    if (other?.held === true && compareVersions(other.fence, fence) > 0) return false;
    this.#lastOf.set(name, lease);
    if (other !== undefined) this.lost(other);
    return true;
  }

  /** When a session is over, so are its leases. */
  #follow(session: Session): void {
    if (session.over !== undefined) return;
    this.#sessions.add(session);
    session.onOver((why) => {
      this.#sessions.delete(session);
      for (const lease of this.all) if (lease.session === session) lease.abort("LOST", why);
    });
  }

  /** The latest lease of a name that was taken and not released. */
  ofName(name: string): Lease | undefined {
    return this.#lastOf.get(name);
  }

  /** Removes a lease before or after its release. Returns false if it was not held. */
  remove({ token, name }: Pick<Lease, "token" | "name">): boolean {
    if (this.#lastOf.get(name)?.token === token) this.#lastOf.delete(name);
    return this.#leases.delete(token);
  }

  /** The end of the earliest timeout of all held leases, by the monotonic clock. */
  earliestTimeout(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const lease of this.#leases.values()) if (lease.held && lease.until < earliest) earliest = lease.until;
    return earliest;
  }

  /** Ends a lease that the store no longer has. Does nothing for a lease that was released meanwhile. */
  lost(lease: Lease): void {
    if (this.#leases.has(lease.token)) lease.removed();
  }

  /** Checks in the store whether these leases still hold their locks, and ends those that do not. */
  async findLost(all: readonly Lease[]): Promise<void> {
    // Check only held leases: a name that was lost and taken again would be twice in the commit.
    const leases = all.filter(({ held }) => held);
    const most = Math.min(this.#channel.supports.maxOps, AT_ONCE);
    for (let i = 0; i < leases.length; i += most) await this.#findLost(leases.slice(i, i + most));
  }

  async #findLost(leases: readonly Lease[]): Promise<void> {
    const checks = leases.map((lease) => ({ lease, check: lockKey(lease.name), version: lease.fence }));
    try {
      const result = await this.#channel.commit(checks.map(({ check, version }) => ({ check, version })));
      if (result.ok) return;
      for (const { lease, check } of checks) if (failedCheck(result.failed, check) !== undefined) this.lost(lease);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      // An entry was overwritten: the store decodes those of failed checks. Check each lease alone.
      if (leases.length > 1) for (const lease of leases) await this.#findLost([lease]);
      else for (const lease of leases) this.lost(lease);
    }
  }
}

/**
 * Ends each lease at its timeout, with one timer for all of them: that of the earliest timeout. A released
 * lease leaves the timer as it is. A timer for each of the many short leases would cost more than finding the
 * next timeout once in a while.
 */
export class LeaseTimeouts {
  readonly #clock: Clock;
  readonly #held: HeldLeases;
  /** When the timer fires, by the monotonic clock. */
  #due: number = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(clock: Clock, held: HeldLeases) {
    this.#clock = clock;
    this.#held = held;
  }

  /** Call it for each lease that was just taken. `until` is the end of its timeout. */
  taken(until: number): void {
    if (until < this.#due) this.#arm(until);
  }

  #arm(due: number): void {
    this.#cancel();
    this.#due = due;
    this.#cancel = this.#clock.after(Math.max(0, due - this.#clock.monotonic()), () => this.#fire());
  }

  /** A timer can fire slightly early by our clock: its timeout counts as over all the same. */
  #fire(): void {
    const due = this.#due;
    this.#due = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const lease of this.#held.all) {
      if (lease.until <= due) lease.timedOut();
      else next = Math.min(next, lease.until);
    }
    if (next < this.#due) this.#arm(next);
  }

  /** Cancels the timer if no lease needs it: an idle process has no timers. */
  rest(): void {
    if (this.#held.size === 0) this.close();
  }

  /** Cancels the timer. */
  close(): void {
    this.#cancel();
    this.#due = Number.POSITIVE_INFINITY;
  }
}
