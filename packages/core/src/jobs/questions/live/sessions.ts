import type { Key, Version } from "../../../channel/types.js";
import type { Followed } from "../../../channel/watch/follow.js";
import type { LocksValue } from "../../../locks/entries/schema.js";
import { isSession, sessionPlace } from "../../../locks/entries/valid.js";
import type { Clock } from "../../../util/clock.js";
import { type ProcessIdentity, processIsGone } from "../../../util/process-state.js";
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
export class LiveSessions implements Followed<LocksValue> {
  readonly #clock: Clock;
  readonly #news: SessionNews;
  readonly #all: Map<string, { readonly shown: LiveSession; readonly process: ProcessIdentity }> = new Map();
  #isSynced = false;

  constructor(clock: Clock, news: SessionNews) {
    this.#clock = clock;
    this.#news = news;
  }

  of(instance: string): LiveSession | undefined {
    return this.#all.get(instance)?.shown;
  }

  all(): LiveSession[] {
    return [...this.#all.values()].map(({ shown }) => shown);
  }

  /** Whether a session is certainly over: its entry is gone, or its process on this host died. */
  isOver(instance: string): boolean {
    const session = this.#all.get(instance);
    return this.#isSynced && (session === undefined || processIsGone(session.process));
  }

  begun(): void {
    this.#isSynced = false;
  }

  put(key: Key, value: LocksValue | undefined, _: Version, expiresIn: number | undefined): void {
    const id = sessionPlace(key);
    if (id === undefined) return;
    if ((key as readonly unknown[])[2] === "stop") this.#news.asked(id);
    if ((key as readonly unknown[]).length > 2 || !isSession(value, id)) return;
    const { host, pid } = value.process;
    const now = this.#clock.now();
    const isNew = !this.#all.has(id);
    const before = this.of(id)?.lease;
    // What a snapshot shows was renewed at some time before.
    const lease = this.#isSynced && value.hold !== true ? this.#leaseOf(now, expiresIn, before) : before;
    const shown = {
      ...{ host, pid, instance: id, since: value.since },
      ...(lease !== undefined && { lease }),
      ...(value.hold === true && ({ hold: true } as const)),
    };
    this.#all.set(id, { shown, process: value.process });
    if (isNew) this.#news.came(id);
  }

  #leaseOf(now: number, expiresIn: number | undefined, before: LiveSession["lease"]): LiveSession["lease"] {
    return expiresIn === undefined ? before : { until: now + expiresIn, renewed: now };
  }

  gone(key: Key): void {
    const id = sessionPlace(key);
    if (id !== undefined && (key as readonly unknown[]).length === 2) this.#all.delete(id);
  }

  synced(): void {
    this.#isSynced = true;
    this.#news.synced();
  }
}
