import { inBackground } from "../../channel/calls/background.js";
import { unlessCorrupt } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import { compareVersions } from "../../channel/encoding/version.js";
import { isChannelError } from "../../channel/errors.js";
import type { Change, KeyWatch, KeyWatcher } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import { type LocksValue, lockKey, type SessionValue, sessionKey } from "../entries/schema.js";
import type { Session } from "../session/session.js";
import type { HeldLeases } from "./held-leases.js";
import type { Lease } from "./lease.js";
import { RequestWatch } from "./request-watch.js";

/**
 * Locks held for less than this, in ms (up to twice as long), are not watched. Most locks are that short, and
 * a watch would only cost time.
 */
const SHORT = 20;

/** The pause before a failed watch is tried again, in ms. */
const RETRY = 1_000;

/**
 * Ends a lease at once when its lock or its session is removed or replaced in the store. A heartbeat finds
 * that too, but later: until then two bodies may run. Also receives the requests of other processes.
 */
export class LossWatch {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #heldLeases: HeldLeases;
  /** The leases taken since the last look, and those taken before it. */
  #young: Set<Lease> = new Set();
  #older: Set<Lease> = new Set();
  /** The watches that run or start. */
  readonly #sessions: Map<Session, KeyWatch> = new Map();
  readonly #leases: Map<Lease, KeyWatch> = new Map();
  readonly #requests: Map<Session, KeyWatch> = new Map();
  readonly #requestWatch: RequestWatch;
  #cancelLook: (() => void) | undefined;
  #checking: Promise<void> | undefined;
  #missed = false;
  #off: boolean;

  constructor(channel: Channel<LocksValue>, clock: Clock, heldLeases: HeldLeases) {
    this.#channel = channel;
    this.#clock = clock;
    this.#heldLeases = heldLeases;
    this.#requestWatch = new RequestWatch(channel, heldLeases);
    this.#off = !channel.supports.watch;
  }

  /** Call it for each lease that was just taken. */
  taken(lease: Lease): void {
    if (this.#off) return;
    this.#young.add(lease);
    if (this.#cancelLook === undefined) this.#lookIn(SHORT);
  }

  /** Call it for each lease that is released. Else thousands of short ones are kept until the next look. */
  released(lease: Lease): void {
    if (!this.#young.delete(lease)) this.#older.delete(lease);
  }

  /** Ends all watching. */
  close(): void {
    this.#off = true;
    this.#cancelLook?.();
    this.#young.clear();
    this.#older.clear();
    for (const watches of [this.#sessions, this.#requests]) {
      for (const { stop } of watches.values()) stop();
      watches.clear();
    }
  }

  /**
   * Called after each heartbeat. Stops the watch of each session that holds no lock, so that the store need
   * not report its renewals. If the store cannot be watched, reads what other processes ask.
   */
  rest(): void {
    const busy = new Set(this.#held().map(({ session }) => session));
    if (this.#off) for (const session of busy) void inBackground(() => this.#requestWatch.read(session));
    for (const watches of [this.#sessions, this.#requests]) {
      for (const [session, { stop }] of watches) {
        if (busy.has(session)) continue;
        watches.delete(session);
        stop();
      }
    }
  }

  #held(): Lease[] {
    return this.#heldLeases.all;
  }

  #lookIn(ms: number): void {
    this.#cancelLook = this.#clock.after(ms, () => void inBackground(() => this.#look()));
  }

  /** Watches the locks that were held at the last look and are still held. */
  async #look(): Promise<void> {
    const held = [...this.#older].filter(({ token }) => this.#heldLeases.find(token) !== undefined);
    this.#older = this.#young;
    this.#young = new Set();
    this.#cancelLook = undefined;
    if (this.#older.size > 0) this.#lookIn(SHORT);
    if (held.length === 0) return;
    try {
      await Promise.all(held.map((lease) => this.#watchLease(lease)));
    } catch (error) {
      if (!isChannelError(error)) throw error;
      this.#notNow(error.retryable, held);
      return;
    }
    // Read once: a change before the watch was ready was not reported.
    await this.#check(held);
  }

  /** Called when the store could not be watched. Heartbeats go on and find a loss later. */
  #notNow(retryable: boolean, leases: readonly Lease[]): void {
    if (!retryable) this.#off = true;
    if (this.#off) return;
    for (const lease of leases) this.#older.add(lease);
    if (this.#cancelLook === undefined) this.#lookIn(RETRY);
  }

  async #watchLease(lease: Lease): Promise<void> {
    const { session } = lease;
    await Promise.all([
      ready(this.#sessions, session, () => this.#startSessionWatch(session)),
      ready(this.#requests, session, () => this.#startRequestWatch(session)),
      ready(this.#leases, lease, () => this.#startLeaseWatch(lease)),
    ]);
  }

  #startLeaseWatch(lease: Lease): KeyWatch {
    const watch = this.#channel.watchKey(
      lockKey(lease.name),
      this.#watcher(({ version }) => {
        // A newer version than the fence is not the write of this lease.
        if (compareVersions(version, lease.fence) > 0) this.#heldLeases.lost(lease);
      }),
    );
    this.#leases.set(lease, watch);
    lease.onEnd(() => {
      this.#leases.delete(lease);
      watch.stop();
    });
    return watch;
  }

  #startSessionWatch(session: Session): KeyWatch {
    const watcher = this.#watcher((change) => {
      if (change.deleted) session.gone();
      else session.changed(change.value() as SessionValue | undefined, change.version);
    });
    const watch = this.#channel.watchKey(sessionKey(session.id), watcher);
    this.#sessions.set(session, watch);
    return watch;
  }

  #startRequestWatch(session: Session): KeyWatch {
    const watch = this.#requestWatch.watch(
      session,
      this.#watcher(() => {}),
    );
    this.#requests.set(session, watch);
    return watch;
  }

  #watcher(changed: (change: Change<LocksValue>) => void): KeyWatcher<LocksValue> {
    return {
      changed,
      gap: () => this.#missing(),
      failed: () => {
        this.#off = true;
      },
    };
  }

  /** All watches report the same gap, so one check answers for all of them. */
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

  /** If the check fails, the next heartbeat repeats it. */
  #check(leases: readonly Lease[]): Promise<void> {
    return inBackground(async () => {
      for (const session of new Set(leases.map((lease) => lease.session))) {
        const entry = await unlessCorrupt(this.#channel.entry(sessionKey(session.id)));
        if (entry === undefined) session.gone();
        else session.changed(entry.value as SessionValue, entry.version);
        await this.#requestWatch.read(session);
      }
      await this.#heldLeases.findLost(leases);
    });
  }
}

/**
 * Resolves once the watch of `subject` is ready. A retry reuses a watch that runs: only the latest in `all`
 * would ever be stopped.
 */
async function ready<T>(all: Map<T, KeyWatch>, subject: T, start: () => KeyWatch): Promise<void> {
  const watch = all.get(subject) ?? start();
  try {
    await watch.ready;
  } catch (error) {
    if (all.get(subject) === watch) all.delete(subject);
    watch.stop();
    throw error;
  }
}
