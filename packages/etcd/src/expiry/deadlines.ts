import { type KeyRange, onlyKeyOf } from "@ojm/core/backend";

/** The most deadlines kept. Of older ones only the lease knows. */
const MOST = 10_000;

/** The longest delay that `setTimeout` takes; it fires at once for anything more. */
const LONGEST_TIMER = 2_147_483_647;

interface Deadline {
  readonly version: string;
  /** Monotonic ms. */
  readonly due: number;
  /**
   * The entry was deleted or replaced. Still kept: a reply from before that may yet arrive, and must not
   * revive it.
   */
  gone: boolean;
  /** `undefined` if nobody in this process waits for the end of the entry. */
  timer?: NodeJS.Timeout;
}

/**
 * When the entries that this process has seen expire.
 *
 * etcd's leases end by the second, and up to several seconds late; etcd tells its clock to nobody. But
 * whoever has seen an entry at one version for as long as its ttl knows that it is expired, since it was
 * written before it was first seen. Only that span is measured here, by the monotonic clock: a clock that is
 * set wrong changes nothing. So the process that wrote an entry, and each that read or watched it, knows its
 * end to the millisecond, and nobody believes it ended too early.
 *
 * What is due is handed to `expire`, which deletes it from the store where it still has that version. So an
 * expiry is an event in the store, and the same for all.
 */
export class Deadlines {
  readonly #byKey: Map<string, Deadline> = new Map();
  readonly #expire: (key: string, version: string) => void;

  constructor(expire: (key: string, version: string) => void) {
    this.#expire = expire;
  }

  /**
   * Notes that an entry was seen just now, written with this ttl, or ending in `ttl` ms at the latest. Hands
   * it to `expire` when it is due, unless `timed` is false: then only the next reader finds it expired.
   *
   * @returns the ms that are left of it, more than 0 unless it is expired
   */
  seen(key: string, version: string, ttl: number, timed: boolean = true): number {
    const now = performance.now();
    const known = this.#byKey.get(key);
    if (known !== undefined && known.version === version && known.due <= now + ttl) {
      if (timed) this.#time(key, known);
      return known.due - now;
    }
    // A reply that comes late, and tells of a version since replaced, must not displace what is known of the
    // later one.
    if (known !== undefined && Number(known.version) > Number(version)) return ttl;
    this.#forget(key);
    const deadline: Deadline = { version, due: now + ttl, gone: false };
    this.#byKey.set(key, deadline);
    if (timed || (known?.version === version && known.timer !== undefined)) this.#arm(key, deadline);
    this.#bound();
    return ttl;
  }

  /** From now on, hands the known entries of a range to `expire` when they are due. */
  time(range: KeyRange): void {
    const only = onlyKeyOf(range);
    for (const key of only === undefined ? this.#byKey.keys() : [only]) {
      const known = this.#byKey.get(key);
      if (known !== undefined && range.from <= key && key < range.to) this.#time(key, known);
    }
  }

  /** Milliseconds left for the entry at this version, `undefined` if nothing is known of it. */
  left(key: string, version: string): number | undefined {
    const known = this.#byKey.get(key);
    return known?.version === version ? known.due - performance.now() : undefined;
  }

  /** The version at which the entry is known to be expired, and not known to be gone. */
  expiredVersion(key: string): string | undefined {
    const known = this.#byKey.get(key);
    return known !== undefined && !known.gone && known.due <= performance.now() ? known.version : undefined;
  }

  /** The entry is no longer at this version. */
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
        // Timers may fire a fraction of a millisecond early, and long ones come in stages.
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
    if (this.#byKey.size <= MOST) return;
    const [oldest] = this.#byKey.keys();
    if (oldest !== undefined) this.#forget(oldest);
  }
}
