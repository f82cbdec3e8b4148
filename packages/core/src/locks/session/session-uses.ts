/** A session ends after so many heartbeats at which nobody had used it: one `ttl`. */
const IDLE_BEATS = 3;

/** Counts who uses the session, so that a session that nobody needs can end. */
export class SessionUses {
  #inUse = 0;
  #begun = 0;
  #begunAtLastBeat = 0;
  #idleBeats = 0;

  /** Call it before a call gets the session. */
  begin(): void {
    this.#inUse++;
    this.#begun++;
  }

  /** Call it when that call is over. */
  end(): void {
    this.#inUse--;
  }

  /** Does something that needs the session. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  /**
   * Call it at each heartbeat. Returns true if nobody has used the session for a few heartbeats. `isNeeded`:
   * a lock or a leftover in the store still depends on the session.
   */
  areOver(isNeeded: boolean): boolean {
    const isIdle = !isNeeded && this.#inUse === 0 && this.#begun === this.#begunAtLastBeat;
    this.#begunAtLastBeat = this.#begun;
    this.#idleBeats = isIdle ? this.#idleBeats + 1 : 0;
    return this.#idleBeats >= IDLE_BEATS;
  }
}
