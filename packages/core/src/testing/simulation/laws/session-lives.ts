import type { Commit, StoredChange } from "../../../channel/backend/backend.js";
import type { FakeClock } from "../../fake-clock.js";
import { isSession } from "../entry-kinds.js";

/** The end of each session's life, judged by the commits that were sent and those that the store applied. */
export class SessionLives {
  readonly #clock: FakeClock;
  readonly #ttl: number;
  /** When each renewal was first sent, and the end of each session's life by its last applied renewal. */
  readonly #sent: Map<string, number> = new Map();
  readonly #until: Map<string, number> = new Map();
  /** The same, by the last renewal whose answer its process got. */
  readonly #knownUntil: Map<string, number> = new Map();
  /** The id of each session, by its key. */
  readonly #idOf: Map<string, string> = new Map();
  /** The ids of the sessions whose entries were removed. */
  readonly #gone: Set<string> = new Set();

  constructor(clock: FakeClock, ttl: number) {
    this.#clock = clock;
    this.#ttl = ttl;
  }

  /** Call it with each commit that a process sends to the store. */
  sent({ writes }: Commit): void {
    for (const { key, value } of writes) {
      if (!isSession(key) || value === null) continue;
      const renewal = `${key} ${JSON.parse(value).beat}`;
      if (!this.#sent.has(renewal)) this.#sent.set(renewal, this.#clock.monotonic());
    }
  }

  /** Call it with each commit that the store applied, once its process gets the answer. */
  answered({ writes }: Commit): void {
    for (const { key, value } of writes) {
      if (!isSession(key) || value === null) continue;
      const { id, beat } = JSON.parse(value);
      const sent = this.#sent.get(`${key} ${beat}`) ?? 0;
      this.#knownUntil.set(id, Math.max(this.knownUntil(id), sent + this.#ttl));
    }
  }

  /** Call it with each change that the store applied. */
  applied({ key, value }: StoredChange): void {
    if (!isSession(key)) return;
    if (value === null) {
      this.#gone.add(this.#idOf.get(key) ?? "");
      return;
    }
    const { id, beat } = JSON.parse(value);
    this.#idOf.set(key, id);
    const sent = this.#sent.get(`${key} ${beat}`) ?? this.#clock.monotonic();
    this.#until.set(id, Math.max(this.until(id), sent + this.#ttl));
  }

  /** The end of the session's life by its last applied renewal, in ms of the monotonic clock. */
  until(session: string): number {
    return this.#until.get(session) ?? 0;
  }

  /** The end of the session's life as its own process knows it, without lost answers. */
  knownUntil(session: string): number {
    return this.#knownUntil.get(session) ?? 0;
  }

  /** Whether its entry is in the store, and not expired. */
  isLiving(session: string): boolean {
    return !this.#gone.has(session) && this.#clock.monotonic() < this.until(session);
  }
}
