import type { Channel } from "../channel/channel.js";
import type { Clock } from "../clock.js";
import { type ProcessIdentity, processIsGone } from "../host.js";
import { type LocksValue, type SessionValue, sessionKey } from "./entries.js";

/** So many sessions are remembered; one that is forgotten costs a read. Processes come and go for years. */
const REMEMBERED = 1_000;

interface Seen {
  readonly process: ProcessIdentity;
  /** Until when, by the local clock, the entry lives on without being renewed. */
  readonly until: number;
}

/**
 * Tells which sessions are dead. Dead is for sure: the session's entry is gone, and it can never come back; or its process was of this
 * host, and is gone. Remembers what it read, so that looking again often costs a glance at `/proc` and no call to the store.
 */
export class Liveness {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #seen: Map<string, Seen> = new Map();

  constructor(channel: Channel<LocksValue>, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }

  async isDead(id: string): Promise<boolean> {
    const seen = this.#seen.get(id);
    if (seen !== undefined && this.#clock.monotonic() < seen.until) return processIsGone(seen.process);
    const entry = await this.#channel.entry(sessionKey(id));
    if (entry === undefined) {
      this.#seen.delete(id);
      return true;
    }
    const { process } = entry.value as SessionValue;
    if (this.#seen.size >= REMEMBERED) this.#seen.clear();
    this.#seen.set(id, { process, until: this.#clock.monotonic() + (entry.expiresIn ?? 0) });
    return processIsGone(process);
  }
}
