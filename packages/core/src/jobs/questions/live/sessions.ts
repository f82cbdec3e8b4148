import type { Channel } from "../../../channel/channel.js";
import type { Entry, Key } from "../../../channel/types.js";
import type { LocksValue } from "../../../locks/entries/schema.js";
import { isSession, sessionPlace } from "../../../locks/entries/valid.js";
import type { Clock } from "../../../util/clock.js";
import type { LiveSession } from "./types.js";

/** What the watch of the sessions tells besides. */
export interface SessionNews {
  /** Somebody asked a process to stop one of its runs. */
  readonly asked: (instance: string) => void;
  /** The session of a process was not known before. */
  readonly came: (instance: string) => void;
  /** A snapshot is complete: requests before it may not have been told. */
  readonly synced: () => void;
}

/** The processes that have locks or wait for one, kept up to date by a watch of their sessions. */
export class LiveSessions {
  readonly #clock: Clock;
  readonly #news: SessionNews;
  readonly #all: Map<string, LiveSession> = new Map();
  /** After a gap: what the new snapshot has not shown so far. */
  #unseen: Set<string> | undefined;
  #isSynced = false;

  constructor(clock: Clock, news: SessionNews) {
    this.#clock = clock;
    this.#news = news;
  }

  /** Follows the sessions until the signal fires. */
  async follow(locks: Channel<LocksValue>, signal: AbortSignal): Promise<void> {
    this.#isSynced = false;
    this.#unseen = new Set(this.#all.keys());
    for await (const event of locks.watchReadable({ prefix: ["session"], signal, keepAlive: false })) {
      if (event.type === "put") this.#put(event.entry);
      else if (event.type === "delete") this.#gone(event.key);
      else if (event.type === "gap") {
        this.#isSynced = false;
        this.#unseen = new Set(this.#all.keys());
      } else this.#synced();
    }
  }

  of(instance: string): LiveSession | undefined {
    return this.#all.get(instance);
  }

  all(): LiveSession[] {
    return [...this.#all.values()];
  }

  #put({ key, value, expiresIn }: Entry<LocksValue | undefined>): void {
    const id = sessionPlace(key);
    if (id === undefined) return;
    if ((key as readonly unknown[])[2] === "stop") this.#news.asked(id);
    if ((key as readonly unknown[]).length > 2 || !isSession(value, id)) return;
    this.#unseen?.delete(id);
    const { host, pid } = value.process;
    const now = this.#clock.now();
    const isNew = !this.#all.has(id);
    const before = this.#all.get(id)?.lease;
    // What a snapshot shows was renewed at some time before.
    const lease = this.#isSynced && value.hold !== true ? this.#leaseOf(now, expiresIn, before) : before;
    this.#all.set(id, { host, pid, instance: id, since: value.since, ...(lease !== undefined && { lease }) });
    if (isNew) this.#news.came(id);
  }

  #leaseOf(now: number, expiresIn: number | undefined, before: LiveSession["lease"]): LiveSession["lease"] {
    return expiresIn === undefined ? before : { until: now + expiresIn, renewed: now };
  }

  #gone(key: Key): void {
    const id = sessionPlace(key);
    if (id !== undefined && (key as readonly unknown[]).length === 2) this.#all.delete(id);
  }

  #synced(): void {
    for (const id of this.#unseen ?? []) this.#all.delete(id);
    this.#unseen = undefined;
    this.#isSynced = true;
    this.#news.synced();
  }
}
