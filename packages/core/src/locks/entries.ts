import type { JsonValue } from "../channel/json.js";
import type { Key } from "../channel/types.js";
import type { ProcessIdentity } from "../host.js";
import type { TurnValue } from "./turn.js";

/*
 * What the locks keep in their channel:
 *   ["lock", NAME]           who holds it; there is no such entry while the lock is free
 *   ["lock", NAME, "queue"]  who waits for it, in order of arrival; no entry while nobody does
 *   ["session", ID]          a process that is there, with a time to live
 *   ["session", ID, "call"]  which of its tickets came to be the first of a queue last: what wakes the one who waits
 *   ["audit", NAME, TIME, FENCE]  a forced unlock
 *   ["sweep"]                who clears away what the dead left, for all, and since when
 *   ["tick", NAME, SCHEDULE]      the last tick of a schedule for which a run of this name was started
 *
 * Anybody can write to a store: valid.ts checks what is read.
 */

/** Who holds a lock, for the person who has to find it at night. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
  /** The session of the holding process. */
  readonly instance: string;
}

/** A lock that is held. Its version is the fence. */
export interface LockValue {
  readonly name: string;
  readonly holder: Holder;
  /** Tells this acquisition from every other, so that an answer that was lost can be found out about. */
  readonly token: string;
  /** By the holder's wall clock, for people. */
  readonly since: number;
  /** How long it may be held, in ms; and until when that is, by the monotonic clock of the holder's host. */
  readonly timeout: number;
  readonly until: number;
  /** What the holder wants others to know, such as which run it is. */
  readonly note?: JsonValue;
}

export interface Ticket {
  readonly session: string;
  readonly token: string;
}

export interface QueueValue {
  readonly waiting: readonly Ticket[];
}

export interface SessionValue {
  readonly id: string;
  readonly process: ProcessIdentity;
  readonly since: number;
  /** Counts the renewals, so that one whose answer was lost can be found out about. */
  readonly beat: number;
  /** Who wrote it, if that was not the main thread of the process. */
  readonly by?: "thread";
}

/**
 * How long the entry of a session lives in the store, in ms, if its owner counts on `ttl`: whoever finds it gone may begin at once, and by then the
 * owner must know, though its timers are late and its clock runs a little slower.
 */
export function lifeInStore(ttl: number): number {
  return ttl + 50 + Math.ceil(ttl / 100);
}

/** Tells a session that one of its tickets is the first of its queue now. */
export interface CallValue extends Ticket {
  /** Of the lock. */
  readonly name: string;
}

export type LocksValue = LockValue | QueueValue | SessionValue | CallValue | AuditValue | TickValue | TurnValue;

/** A lock that was taken from its holder by force. */
export interface AuditValue {
  readonly name: string;
  readonly at: number;
  readonly reason: string;
  /** Who did it. */
  readonly by: Holder;
  /** The lock as it was. */
  readonly lock: LockValue;
  readonly fence: string;
}

/** The last tick of a schedule that somebody ran. */
export interface TickValue {
  /** In ms since 1970. */
  readonly at: number;
  readonly by: Holder;
}

export const lockKey = (name: string): Key => ["lock", name];
export const queueKey = (name: string): Key => ["lock", name, "queue"];
export const sessionKey = (id: string): Key => ["session", id];
export const callKey = (session: string): Key => ["session", session, "call"];
export const sweepKey: Key = ["sweep"];
export const auditKey = (name: string, at: number, fence: string): Key => ["audit", name, at, fence];
export const tickKey = (name: string, schedule: string): Key => ["tick", name, schedule];
