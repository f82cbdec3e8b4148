import type { Channel } from "../../channel/channel.js";
import { isCorrupt } from "../../channel/corrupt.js";
import type { Entry } from "../../channel/types.js";
import { type Clock, systemClock } from "../../util/clock.js";
import { type ProcessIdentity, processIsGone } from "../../util/process-state.js";
import { fieldsOf } from "../../util/shape.js";
import { type LocksValue, type SessionValue, sessionKey } from "../entries/schema.js";
import { isSession } from "../entries/valid.js";

/** The most sessions that are remembered. Those read longest ago are forgotten, and cost a read. */
export const REMEMBERED = 10_000;

/** How long a process that was found running is not checked again, in ms: many waiters check it. */
const FRESH = 100;

/** The part of the entry's remaining time for which a read of a session counts as recent. */
const RECENT = 1 / 10;

interface Seen {
  /** `undefined` if this version does not understand the entry: then only its time to live can end it. */
  readonly process: ProcessIdentity | undefined;
  /** When the entry expires without a renewal, by the local clock. */
  readonly until: number;
  /** Until when the read counts as recent. */
  readonly recentUntil: number;
  /** When to check the process again. */
  lookAt: number;
}

const SESSIONS = Symbol.for("ojm.sessions");

/** The sessions that live in this process, of all copies of this package. */
export const livingHere: Set<string> = shared();

function shared(): Set<string> {
  const anchor = globalThis as { [SESSIONS]?: Set<string> };
  anchor[SESSIONS] ??= new Set();
  return anchor[SESSIONS];
}

/**
 * Decides which sessions are dead. A session is dead in three cases, and each is certain:
 *
 * - its entry is gone, and it can never come back
 * - its process ran on this host and is gone
 * - only one process at a time can open the store, and the session is not of this process
 *
 * A session that this version does not understand lives until its entry expires: a later version may have
 * written it, and its process may be running. No version writes a session without a time to live, so an
 * unknown entry without one is the work of another program, and counts as removed.
 *
 * It remembers its reads. A repeated check often costs only a read of `/proc`, and no call to the store.
 */
export class Liveness {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  /** Whether only this process can have a living session in this store. */
  readonly #alone: boolean;
  readonly #seen: Map<string, Seen> = new Map();

  constructor(channel: Channel<LocksValue>, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
    this.#alone = channel.supports.shared === "process" && clock === systemClock;
  }

  /**
   * Whether a session is dead. With `recently`, older data does not count as proof of life.
   *
   * etcd does not expose its clock, so a time to live counts from when it was first seen. A caller that
   * checks repeatedly without a {@link WaitWatch} must read the latest renewal soon.
   */
  async isDead(id: string, { recently = false }: { readonly recently?: boolean } = {}): Promise<boolean> {
    const seen = this.#seen.get(id);
    const now = this.#clock.monotonic();
    if (seen !== undefined && now < seen.until && !(recently && now >= seen.recentUntil)) return this.#isGone(seen);
    const entry = await this.#read(id);
    if (entry !== undefined) return this.looksDead(id, entry);
    this.#seen.delete(id);
    return true;
  }

  /** Whether a session looks dead by the entry of a scan, which is remembered like a read. */
  looksDead(id: string, { value, expiresIn }: Pick<Entry<unknown>, "value" | "expiresIn">): boolean {
    const session = isSession(value, id) ? value : undefined;
    if (session === undefined && expiresIn === undefined) {
      this.#seen.delete(id);
      return true;
    }
    const fields = fieldsOf<SessionValue>(value);
    if (this.#alone && fields !== undefined && fields.hold !== true) return !livingHere.has(id);
    const read = this.#clock.monotonic();
    const life = expiresIn ?? 0;
    const recentUntil = read + Math.max(FRESH, life * RECENT);
    const found = { process: session?.process, until: read + life, recentUntil, lookAt: read };
    this.#remember(id, found);
    return this.#isGone(found);
  }

  /** The map is in order of reading, so its first entry was read the longest ago. */
  #remember(id: string, seen: Seen): void {
    this.#seen.delete(id);
    this.#seen.set(id, seen);
    if (this.#seen.size <= REMEMBERED) return;
    const [oldest] = this.#seen.keys();
    if (oldest !== undefined) this.#seen.delete(oldest);
  }

  /** `undefined` if there is no entry. Its value is `undefined` if it cannot be decoded. */
  async #read(id: string): Promise<Pick<Entry<unknown>, "value" | "expiresIn"> | undefined> {
    const key = sessionKey(id);
    try {
      return await this.#channel.entry(key);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
    }
    for await (const found of this.#channel.keys({ prefix: key, limit: 1 })) {
      if ((found.key as readonly unknown[]).length === 2) return { ...found, value: undefined };
    }
    return undefined;
  }

  /** The time for which the last read of a session still proves that it lives, in ms; 0 without a read. */
  left(id: string): number {
    return Math.max(0, (this.#seen.get(id)?.until ?? 0) - this.#clock.monotonic());
  }

  /** Forgets the last read of a session, because it may be out of date. The next check reads it again. */
  forget(id: string): void {
    this.#seen.delete(id);
  }

  #isGone(seen: Seen): boolean {
    const now = this.#clock.monotonic();
    if (seen.process === undefined || now < seen.lookAt) return false;
    const gone = processIsGone(seen.process);
    if (!gone) seen.lookAt = now + FRESH;
    return gone;
  }
}
