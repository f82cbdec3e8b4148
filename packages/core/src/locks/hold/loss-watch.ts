import { failedCheck, inBackground } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { unlessCorrupt } from "../../channel/corrupt.js";
import { compareVersions } from "../../channel/encoding/version.js";
import { isChannelError } from "../../channel/errors.js";
import type { Change, CommitResult, Entry, Key, KeyWatch, KeyWatcher, Op, Version } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import {
  type LocksValue,
  lockKey,
  type SessionValue,
  type StopRequest,
  type StopRequestsValue,
  sessionKey,
  stopKey,
} from "../entries/schema.js";
import { isStopRequest, isStopRequests, stopRequestsIn } from "../entries/valid.js";
import type { Session } from "../session/session.js";
import type { HeldLeases } from "./held-leases.js";
import type { Lease } from "./lease.js";

/** A lock is watched once held for this time, in ms, or up to twice: most locks are released earlier. */
const UNWATCHED_FOR = 20;

/** The pause before a failed watch is tried again, in ms. */
const RETRY = 1_000;

/**
 * Ends a lease at once when its lock or its session is removed or replaced in the store. A heartbeat finds
 * that too, but later: until then two bodies may run. It also receives the requests of other processes.
 */
export class LossWatch {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #heldLeases: HeldLeases;
  /** The leases taken since the last check, and those taken before it. */
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
    if (this.#cancelLook === undefined) this.#lookIn(UNWATCHED_FOR);
  }

  /** Call it for each released lease. Otherwise thousands of short ones are kept until the next check. */
  released(lease: Lease): void {
    if (!this.#young.delete(lease)) this.#older.delete(lease);
  }

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
   * not report its renewals. If the store cannot be watched, reads the requests of other processes.
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

  /** Watches the locks that were held at the last check and are still held. */
  async #look(): Promise<void> {
    const held = [...this.#older].filter(({ token }) => this.#heldLeases.find(token) !== undefined);
    this.#older = this.#young;
    this.#young = new Set();
    this.#cancelLook = undefined;
    if (this.#older.size > 0) this.#lookIn(UNWATCHED_FOR);
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

  /** Called when the store could not be watched. Heartbeats continue, and find a loss later. */
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
        // A version newer than the fence was not written by this lease.
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
 * Resolves once the watch of `subject` is ready. A retry reuses the existing watch: `all` holds one for each
 * subject, so a replaced watch would never be stopped.
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

/** Receives requests of other processes: to cancel a run, and the reasons of removed locks. */
class RequestWatch {
  readonly #channel: Channel<LocksValue>;
  readonly #heldLeases: HeldLeases;

  constructor(channel: Channel<LocksValue>, heldLeases: HeldLeases) {
    this.#channel = channel;
    this.#heldLeases = heldLeases;
  }

  /** Starts a watch. {@link RequestWatch.read} finds the requests from before it. */
  watch({ id }: Session, { gap, failed }: Pick<KeyWatcher, "gap" | "failed">): KeyWatch {
    const changed = (change: Change<LocksValue>): void => this.#received(id, change.value());
    return this.#channel.watchKey(stopKey(id), { changed, gap, failed });
  }

  /** Reads the requests to a session. */
  async read({ id }: Session): Promise<void> {
    const entry = await unlessCorrupt(this.#channel.entry(stopKey(id)));
    this.#received(id, entry?.value);
  }

  /** Hands requests to leases and removes them. One without a lease stays: its lock may be under way. */
  #received(session: string, value: unknown): void {
    const done = stopRequestsIn(value).filter((request) => {
      const lease = this.#heldLeases.ofName(request.name);
      if (lease === undefined || lease.fence !== request.fence) return false;
      lease.requested(request);
      return true;
    });
    if (done.length > 0) void inBackground(() => removeRequests(this.#channel, session, done));
  }
}

/** How long a request stays in the store, in ms: it must not stop a holder that hung for longer. */
const REQUEST_TTL = 60_000;

/** Adds a request in the commit of other ops, once: if the requests change meanwhile, nothing is written. */
export async function commitWithRequest(
  channel: Channel<LocksValue>,
  session: string,
  request: StopRequest,
  ops: readonly Op<LocksValue>[],
): Promise<CommitResult<LocksValue>> {
  const key = stopKey(session);
  const entry = await channel.entry(key);
  // The request comes first: the holder sees it before it sees that its lock is gone.
  return channel.commit([...requestOps(key, entry, request), ...ops]);
}

/** Adds a request for a session, in the same commit as other ops. These must have no checks. */
export async function addRequest(
  channel: Channel<LocksValue>,
  session: string,
  request: StopRequest,
  ops: readonly Op<LocksValue>[] = [],
): Promise<void> {
  while (!(await commitWithRequest(channel, session, request, ops)).ok);
}

function requestOps(
  key: Key,
  entry: Pick<Entry<unknown>, "value" | "version"> | undefined,
  request: StopRequest,
): Op<LocksValue>[] {
  const before = isStopRequests(entry?.value) ? entry.value : { requests: [] };
  return [
    { check: key, version: entry?.version ?? null },
    { put: key, value: { ...before, requests: [...before.requests, request] }, ttl: REQUEST_TTL },
  ];
}

/** Removes carried-out requests from the entry of a session. Requests that were added meanwhile stay. */
export async function removeRequests(
  channel: Channel<LocksValue>,
  session: string,
  done: readonly StopRequest[],
): Promise<void> {
  const key = stopKey(session);
  const isDone = (item: unknown): boolean =>
    isStopRequest(item) && done.some(({ fence, at }) => item.fence === fence && item.at === at);
  let entry: Pick<Entry<unknown>, "value" | "version"> | undefined = await channel.entry(key);
  while (isStopRequests(entry?.value)) {
    const { version, value } = entry as { version: Version; value: StopRequestsValue };
    const requests = value.requests.filter((item) => !isDone(item));
    const check: Op<LocksValue> = { check: key, version };
    const write: Op<LocksValue> =
      requests.length === 0 ? { delete: key } : { put: key, value: { ...value, requests }, ttl: REQUEST_TTL };
    const result = await channel.commit([check, write]);
    if (result.ok) return;
    entry = failedCheck(result.failed, key)?.current;
  }
}
