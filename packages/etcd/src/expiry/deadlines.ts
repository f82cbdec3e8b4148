import { type KeyRange, onlyKeyOf } from "@ojm/core/backend";

/** The most deadlines that are held. For the oldest, only the lease knows when the entry expires. */
const DEADLINES_LIMIT = 10_000;

/** The longest delay that `setTimeout` takes; it fires at once for anything more. */
const LONGEST_TIMER = 2_147_483_647;

interface Deadline {
  readonly version: string;
  /** Monotonic ms. */
  readonly due: number;
  /** The entry was deleted or replaced. The record stays, so that no late reply revives the entry. */
  gone: boolean;
  /** `undefined` if nothing in this process waits for the entry to expire. */
  timer?: NodeJS.Timeout;
}

/**
 * The times at which the entries that this process has seen expire.
 *
 * etcd's leases end at whole seconds, up to several seconds late, and etcd does not expose its clock. But an
 * entry was written before it was first seen. So a process that has seen an entry at one version for as long
 * as its ttl knows that the entry has expired. Only that span is measured, by the monotonic clock: a wrong
 * wall clock changes nothing. Each process that wrote, read or watched an entry knows its end to the
 * millisecond, and no process takes it for expired too early.
 *
 * An entry that is due goes to `expire`, which deletes it from the store if it still has that version. So an
 * expiry is an event in the store, and the same for all processes.
 */
export class Deadlines {
  readonly #byKey: Map<string, Deadline> = new Map();
  readonly #expire: (key: string, version: string) => void;

  constructor(expire: (key: string, version: string) => void) {
    this.#expire = expire;
  }

  /**
   * Records that an entry was seen just now: it was written with this ttl, or ends in `ttl` ms at the latest.
   * Passes it to `expire` when it is due. If `timed` is false, only the next reader finds it expired.
   *
   * @returns the ms that the entry has left; above 0 unless it has expired
   */
  seen(key: string, version: string, ttl: number, timed: boolean = true): number {
    const now = performance.now();
    const known = this.#byKey.get(key);
    if (known !== undefined && known.version === version && known.due <= now + ttl) {
      if (timed) this.#time(key, known);
      return known.due - now;
    }
    // A late reply about a replaced version must not replace the deadline of the newer one.
    if (known !== undefined && Number(known.version) > Number(version)) return ttl;
    this.#forget(key);
    const deadline: Deadline = { version, due: now + ttl, gone: false };
    this.#byKey.set(key, deadline);
    if (timed || (known?.version === version && known.timer !== undefined)) this.#arm(key, deadline);
    this.#bound();
    return ttl;
  }

  /** From now on, passes the known entries of a range to `expire` when they are due. */
  time(range: KeyRange): void {
    const only = onlyKeyOf(range);
    for (const key of only === undefined ? this.#byKey.keys() : [only]) {
      const known = this.#byKey.get(key);
      if (known !== undefined && range.from <= key && key < range.to) this.#time(key, known);
    }
  }

  /** The ms that the entry has left at this version; `undefined` if its deadline is unknown. */
  left(key: string, version: string): number | undefined {
    const known = this.#byKey.get(key);
    return known?.version === version ? known.due - performance.now() : undefined;
  }

  /** The version at which the entry is known to have expired, and is not known to be gone. */
  expiredVersion(key: string): string | undefined {
    const known = this.#byKey.get(key);
    return known !== undefined && !known.gone && known.due <= performance.now() ? known.version : undefined;
  }

  /** Records that the entry is no longer at this version. */
  gone(key: string, version: string): void {
    const known = this.#byKey.get(key);
    if (known === undefined || Number(known.version) > Number(version)) return;
    clearTimeout(known.timer);
    known.gone = true;
  }

  close(): void {
    for (const key of [...this.#byKey.keys()]) this.#forget(key);
  }

  #time(key: string, deadline: Deadline): void {
    if (deadline.timer === undefined && !deadline.gone) this.#arm(key, deadline);
  }

  #arm(key: string, deadline: Deadline): void {
    const left = Math.ceil(deadline.due - performance.now());
    deadline.timer = setTimeout(
      () => {
        // A timer may fire a fraction of a millisecond early, and a long delay takes several timers.
        if (performance.now() < deadline.due) this.#arm(key, deadline);
        else this.#expire(key, deadline.version);
      },
      Math.min(left, LONGEST_TIMER),
    );
    deadline.timer.unref();
  }

  #forget(key: string): void {
    clearTimeout(this.#byKey.get(key)?.timer);
    this.#byKey.delete(key);
  }

  #bound(): void {
    if (this.#byKey.size <= DEADLINES_LIMIT) return;
    const [oldest] = this.#byKey.keys();
    if (oldest !== undefined) this.#forget(oldest);
  }
}
