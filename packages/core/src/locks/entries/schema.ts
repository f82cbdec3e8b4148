import type { JsonValue } from "../../channel/encoding/json.js";
import { knownKey } from "../../channel/encoding/prepared.js";
import type { Key, Version } from "../../channel/types.js";
import type { ProcessIdentity } from "../../util/process-state.js";
import type { TurnValue } from "../sweep/turn.js";

/*
 * The entries that the locks keep in their channel:
 *   ["lock", NAME]           the holder; no entry while the lock is free
 *   ["lock", NAME, "queue"]  the waiters, in order of arrival; no entry while there are none
 *   ["session", ID]          a living process, with a time to live; or a lock that a person holds
 *   ["session", ID, "call"]  the latest turn notice: which of its tickets became the first, or near
 *   ["session", ID, "stop"]  requests of other processes to its leases: to cancel a run
 *   ["audit", NAME, TIME, ID]     an action of a person: unlock, cancel, hold, pause a schedule …
 *   ["sweep"]                which process sweeps for all, and since when
 *
 * Owners of locks may keep entries of their own in the same channel, and write them in the same step as the
 * lock: see AtomicWrites. Any program can write to a store: valid.ts checks every entry that is read.
 */

/** The process that holds a lock, in terms by which a person can find it. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
  /** The session of the holder. */
  readonly instance: string;
}

/** A held lock. The version of its entry is the fence. */
export interface LockValue {
  readonly name: string;
  readonly holder: Holder;
  /** Unique for each acquisition: shows after a lost answer whether the commit was applied. */
  readonly token: string;
  /** In ms since 1970 by the holder's wall clock, for people to read. */
  readonly since: number;
  /** `timeout`: how long the lock may be held, in ms. `until`: its end by the host's monotonic clock. */
  readonly timeout: number;
  readonly until: number;
  /** JSON that the holder shows to others, such as the id of its run. */
  readonly note?: JsonValue;
}

export interface Ticket {
  readonly session: string;
  readonly token: string;
  /** In ms since 1970 by the waiter's wall clock, for people to read. Early versions did not write it. */
  readonly since?: number;
  /** What the waiter notes about its purpose. */
  readonly note?: JsonValue;
}

/**
 * The waiters of a lock, in order of arrival.
 *
 * An item that is not a {@link Ticket} comes from a later version or from another program. It keeps its place
 * when a process rewrites the queue, but no waiter waits for it. It is removed with the last ticket, or when
 * a process takes the lock and no other one waits, so it never blocks the lock. Its waiter then enters again.
 */
export interface QueueValue {
  readonly waiting: readonly unknown[];
}

export interface SessionValue {
  readonly id: string;
  readonly process: ProcessIdentity;
  readonly since: number;
  /** The number of renewals. If the answer to a renewal is lost, it shows whether the renewal was applied. */
  readonly beat: number;
  /** Set if the heartbeat thread wrote the entry, not the main thread. */
  readonly by?: "thread";
  /** The version of ojm in its process. Early versions did not write it, and a hold has none. */
  readonly ojm?: string;
  /** Set if the session has no process: it belongs to a person who holds a lock. */
  readonly hold?: true;
}

/** A lock that a person holds, for maintenance. It is the `hold` in the note of the lock. */
export interface Hold {
  readonly reason: string;
  /** The person. */
  readonly author?: string;
  /** The start and the end, in ms since 1970 by the clock of the process that took it. */
  readonly at: number;
  readonly until: number;
}

/**
 * The time to live of a session's entry in the store, in ms, for a session with this `ttl`.
 *
 * It is a little longer than `ttl`. When the entry is gone, another process may take the lock at once. By
 * then the owner must have lost it, even with late timers and a slightly slow clock.
 */
export function lifeInStore(ttl: number): number {
  return ttl + 50 + Math.ceil(ttl / 100);
}

/** A turn notice to a session: one of its tickets is now the first of its queue. */
export interface TurnNotice extends Ticket {
  /** The name of the lock. */
  readonly name: string;
  /** Set if the ticket is not the first, but its session is near the front: see {@link NEAR}. */
  readonly near?: true;
}

export type LocksValue =
  | LockValue
  | QueueValue
  | SessionValue
  | TurnNotice
  | StopRequestsValue
  | AuditValue
  | TurnValue;

/** A request to the holder of a lock. */
export interface StopRequest {
  readonly name: string;
  /** The fence of the lock: the request does not apply to a later holder of the name. */
  readonly fence: Version;
  /** `cancel`: end the run, then release the lock. `unlock`: the lock is already gone. */
  readonly action: "cancel" | "unlock";
  readonly reason: string;
  readonly by: Holder;
  /** The person behind the requesting process. */
  readonly author?: string;
  /** Of a `cancel`: the item of a queue is given back. */
  readonly giveBack?: true;
  /** In ms since 1970, by the clock of the requesting process. */
  readonly at: number;
}

/**
 * The open requests to the leases of one session. An item that is not a {@link StopRequest} stays when the
 * list is rewritten: a later version may have written it, and its time to live ends it.
 */
export interface StopRequestsValue {
  readonly requests: readonly unknown[];
}

/** The audit record of an action of a person. */
export interface AuditValue {
  /** The job, the lock or the schedule. */
  readonly name: string;
  /** In ms since 1970, by the clock of the acting process. */
  readonly at: number;
  /** The action. Entries of early versions lack it; they are all unlocks. */
  readonly action?: string;
  readonly reason?: string;
  /** The process that acted. */
  readonly by: Holder;
  /** The person behind that process. */
  readonly author?: string;
  /** The process whose lock or run was affected, and that run. */
  readonly holder?: Holder;
  readonly run?: string;
  /** Details, such as how long a pause lasts. */
  readonly details?: JsonValue;
  /** With an unlock: the lock before it. */
  readonly lock?: LockValue;
  readonly fence?: string;
}

export const lockKey = (name: string): Key => ["lock", name];
export const queueKey = (name: string): Key => ["lock", name, "queue"];
export const sessionKey = (id: string): Key => ["session", id];
export const turnNoticeKey = (session: string): Key => ["session", session, "call"];
export const stopKey = (session: string): Key => ["session", session, "stop"];
export const sweepKey: Key = ["sweep"];
/** `id` distinguishes actions on one name in the same ms. */
export const auditKey = (name: string, at: number, id: string): Key => ["audit", name, at, id];

/** The most names that are remembered. The keys of a forgotten name are encoded again. */
const REMEMBERED = 1_000;

/** The keys of a lock. */
export interface KeysOfLock {
  readonly lock: Key;
  readonly queue: Key;
}

/** The keys of the most recently used locks. Most programs use the same names again and again. */
export class LockKeys {
  readonly #keys: Map<string, KeysOfLock> = new Map();

  of(name: string): KeysOfLock {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    if (this.#keys.size >= REMEMBERED) this.#keys.clear();
    const keys = { lock: knownKey(lockKey(name)), queue: knownKey(queueKey(name)) };
    this.#keys.set(name, keys);
    return keys;
  }
}

/*
 * The texts of values that every run writes, equal to the output of `encodeValue` byte by byte: texts.test.ts
 * proves it. A template takes a quarter of the time of JSON.stringify and its checks.
 */

/** The text of a holder. The same for all locks of a session. */
export function holderText({ host, pid, instance }: Holder): string {
  return `{"host":${JSON.stringify(host)},"pid":${pid},"instance":${JSON.stringify(instance)}}`;
}

/** The text of a lock. `holder` and `note`: their texts. */
export function lockText(
  { name, token, since, timeout, until }: Omit<LockValue, "holder" | "note">,
  holder: string,
  note: string,
): string {
  const begin = `{"name":${JSON.stringify(name)},"holder":${holder},"token":${JSON.stringify(token)},"since":${since}`;
  return `${begin},"timeout":${timeout},"until":${until},"note":${note}}`;
}
