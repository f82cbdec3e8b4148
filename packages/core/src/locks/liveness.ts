import type { Channel } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import { type Clock, systemClock } from "../clock.js";
import { type ProcessIdentity, processIsGone } from "../host.js";
import { type LocksValue, type SessionValue, sessionKey } from "./entries.js";
import { unlessForeign } from "./foreign.js";
import { isSession } from "./valid.js";

/** The most sessions remembered. Of more, the ones read longest ago are forgotten, and cost a read when asked about. */
export const REMEMBERED = 10_000;

/** For so long, in ms, a process that was there is taken to be there: where many wait, one and the same is asked about all the time. */
const FRESH = 100;

/** For so much of the time that its entry has left, what was read of a session is recent. */
const RECENT = 1 / 10;

interface Seen {
  readonly process: ProcessIdentity;
  /** Until when, by the local clock, the entry lives on without being renewed. */
  readonly until: number;
  /** Until when what was read of it is recent. */
  readonly recentUntil: number;
  /** When its process is looked for again. */
  lookAt: number;
}

const SESSIONS = Symbol.for("ojm.sessions");

/** The sessions that live in this process, whichever copy of this package opened them. */
export const livingHere: Set<string> = shared();

function shared(): Set<string> {
  const anchor = globalThis as { [SESSIONS]?: Set<string> };
  anchor[SESSIONS] ??= new Set();
  return anchor[SESSIONS];
}

/**
 * Tells which sessions are dead. Dead is for sure: the session's entry is gone, and it can never come back; or its process was of this
 * host, and is gone; or only one process at a time can open the store, and it is not one of this process. Remembers what it read, so that looking again often costs a glance at `/proc` and no call to the store.
 */
export class Liveness {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  /** Whether nobody but this process can have a living session in this store. */
  readonly #alone: boolean;
  readonly #seen: Map<string, Seen> = new Map();

  constructor(channel: Channel<LocksValue>, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
    this.#alone = channel.supports.shared === "process" && clock === systemClock;
  }

  /**
   * Whether a session is dead. With `recently`, nothing but what was read recently is gone by: a store that tells its clock to nobody, as etcd, counts from
   * when somebody saw the last renewal, and one who asks again and again without a {@link Lookout} must see it soon.
   */
  async isDead(id: string, { recently = false }: { readonly recently?: boolean } = {}): Promise<boolean> {
    const seen = this.#seen.get(id);
    const now = this.#clock.monotonic();
    if (seen !== undefined && now < seen.until && !(recently && now >= seen.recentUntil)) return this.#isGone(seen);
    const entry = await this.#read(id);
    if (entry === undefined) {
      this.#seen.delete(id);
      return true;
    }
    return this.#judge(id, entry);
  }

  /** Whether a session looks dead by its entry, which a scan brought just now. Remembers it, as a read of it would. */
  looksDead(id: string, entry: Pick<Entry<unknown>, "value" | "expiresIn">): boolean {
    const { value, expiresIn } = entry;
    return !isSession(value, id) || this.#judge(id, { value, ...(expiresIn !== undefined && { expiresIn }) });
  }

  #judge(id: string, { value, expiresIn = 0 }: Pick<Entry<SessionValue>, "value" | "expiresIn">): boolean {
    if (this.#alone) return !livingHere.has(id);
    const read = this.#clock.monotonic();
    const recentUntil = read + Math.max(FRESH, expiresIn * RECENT);
    const found = { process: value.process, until: read + expiresIn, recentUntil, lookAt: read };
    this.#remember(id, found);
    return this.#isGone(found);
  }

  /** The map is kept in the order of reading: its first one was read longest ago. */
  #remember(id: string, seen: Seen): void {
    this.#seen.delete(id);
    this.#seen.set(id, seen);
    if (this.#seen.size <= REMEMBERED) return;
    const [oldest] = this.#seen.keys();
    if (oldest !== undefined) this.#seen.delete(oldest);
  }

  /** `undefined` where there is none, or where somebody replaced it: its owner is told so, and goes. */
  async #read(id: string): Promise<Entry<SessionValue> | undefined> {
    const entry = (await unlessForeign(this.#channel.entry(sessionKey(id)))) as Entry<SessionValue> | undefined;
    return isSession(entry?.value, id) ? entry : undefined;
  }

  /** What was read of a session may be out of date: it is read again when it is asked about next. */
  forget(id: string): void {
    this.#seen.delete(id);
  }

  #isGone(seen: Seen): boolean {
    const now = this.#clock.monotonic();
    if (now < seen.lookAt) return false;
    const gone = processIsGone(seen.process);
    if (!gone) seen.lookAt = now + FRESH;
    return gone;
  }
}
