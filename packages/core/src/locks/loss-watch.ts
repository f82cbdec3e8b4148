import { inBackground } from "../background.js";
import type { Change, Channel, Follower } from "../channel/channel.js";
import { isChannelError } from "../channel/errors.js";
import type { Following } from "../channel/followers.js";
import { compareVersions } from "../channel/version.js";
import type { Clock } from "../clock.js";
import { type LocksValue, lockKey, type SessionValue, sessionKey } from "./entries.js";
import { unlessForeign } from "./foreign.js";
import type { Lease } from "./lease.js";
import type { Session } from "./session.js";
import type { Upkeep } from "./upkeep.js";

/** Locks that are held for less than this, in ms, are not watched: most are not, and they must not pay. Up to twice as long. */
const SHORT = 20;

/** How soon it is tried again to watch what could not be watched, in ms. */
const RETRY = 1_000;

/**
 * Notices at once when a lock that we hold, or our session, is removed or replaced in the store. Heartbeats notice it too, but late: until then
 * two bodies run.
 */
export class LossWatch {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #upkeep: Upkeep;
  /** Taken since the last look, and before it. */
  #young: Lease[] = [];
  #older: Lease[] = [];
  /** What is watched over, or about to be. */
  readonly #sessions: Map<Session, Following> = new Map();
  readonly #leases: Map<Lease, Following> = new Map();
  #cancelLook: (() => void) | undefined;
  #checking: Promise<void> | undefined;
  #missed = false;
  #off: boolean;

  constructor(channel: Channel<LocksValue>, clock: Clock, upkeep: Upkeep) {
    this.#channel = channel;
    this.#clock = clock;
    this.#upkeep = upkeep;
    this.#off = !channel.supports.watch;
  }

  /** A lock was taken. */
  taken(lease: Lease): void {
    if (this.#off) return;
    this.#young.push(lease);
    if (this.#cancelLook === undefined) this.#lookIn(SHORT);
  }

  /** Ends all watching. */
  close(): void {
    this.#off = true;
    this.#cancelLook?.();
    this.#young = [];
    this.#older = [];
    for (const { stop } of this.#sessions.values()) stop();
    this.#sessions.clear();
  }

  /** Stops watching over sessions of which no lock is held any more, so that the store need not tell anything. */
  rest(): void {
    const busy = new Set(this.#held().map(({ session }) => session));
    for (const [session, { stop }] of this.#sessions) {
      if (busy.has(session)) continue;
      this.#sessions.delete(session);
      stop();
    }
  }

  #held(): Lease[] {
    return this.#upkeep.leases;
  }

  #lookIn(ms: number): void {
    this.#cancelLook = this.#clock.after(ms, () => void inBackground(() => this.#look()));
  }

  /** Watches over those that were held at the last look and are still held. */
  async #look(): Promise<void> {
    const held = this.#older.filter(({ token }) => this.#upkeep.find(token) !== undefined);
    this.#older = this.#young;
    this.#young = [];
    this.#cancelLook = undefined;
    if (this.#older.length > 0) this.#lookIn(SHORT);
    if (held.length === 0) return;
    try {
      await Promise.all(held.map((lease) => this.#follow(lease)));
    } catch (error) {
      if (!isChannelError(error)) throw error;
      this.#notNow(error.retryable, held);
      return;
    }
    // What happened before somebody watched.
    await this.#check(held);
  }

  /** The store cannot be watched. Heartbeats go on meanwhile. */
  #notNow(retryable: boolean, leases: readonly Lease[]): void {
    if (!retryable) this.#off = true;
    if (this.#off) return;
    this.#older.push(...leases);
    if (this.#cancelLook === undefined) this.#lookIn(RETRY);
  }

  async #follow(lease: Lease): Promise<void> {
    const { session } = lease;
    await Promise.all([
      begun(this.#sessions, session, () => this.#followSession(session)),
      begun(this.#leases, lease, () => this.#followLease(lease)),
    ]);
  }

  #followLease(lease: Lease): Following {
    const following = this.#channel.follow(
      lockKey(lease.name),
      this.#follower(({ version }) => {
        // Whatever is newer than our own write is not ours.
        if (compareVersions(version, lease.fence) > 0) this.#upkeep.lost(lease);
      }),
    );
    this.#leases.set(lease, following);
    lease.onEnd(() => {
      this.#leases.delete(lease);
      following.stop();
    });
    return following;
  }

  #followSession(session: Session): Following {
    const follower = this.#follower((change) => {
      if (change.deleted) session.gone();
      else session.changed(change.value() as SessionValue | undefined, change.version);
    });
    const following = this.#channel.follow(sessionKey(session.id), follower);
    this.#sessions.set(session, following);
    return following;
  }

  #follower(changed: (change: Change<LocksValue>) => void): Follower<LocksValue> {
    return {
      changed,
      gap: () => this.#missing(),
      failed: () => {
        this.#off = true;
      },
    };
  }

  /** Everybody is told of a gap; one question answers it for all. */
  #missing(): void {
    this.#missed = true;
    this.#checking ??= this.#checkAll().finally(() => {
      this.#checking = undefined;
    });
  }

  async #checkAll(): Promise<void> {
    while (this.#missed && !this.#off) {
      this.#missed = false;
      await this.#check(this.#held());
    }
  }

  /** Where it fails, the next heartbeat asks again. */
  #check(leases: readonly Lease[]): Promise<void> {
    return inBackground(async () => {
      for (const session of new Set(leases.map((lease) => lease.session))) {
        const entry = await unlessForeign(this.#channel.entry(sessionKey(session.id)));
        if (entry === undefined) session.gone();
        else session.changed(entry.value as SessionValue, entry.version);
      }
      await this.#upkeep.findLost(leases);
    });
  }
}

/** Resolves once `what` is watched over: each is followed once, however often it had to be tried, as only the last one would be stopped. */
async function begun<T>(all: Map<T, Following>, what: T, follow: () => Following): Promise<void> {
  const following = all.get(what) ?? follow();
  try {
    await following.ready;
  } catch (error) {
    if (all.get(what) === following) all.delete(what);
    following.stop();
    throw error;
  }
}
