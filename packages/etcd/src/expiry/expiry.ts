import type { KeyRange, StoredEntry } from "@ojm/core/backend";
import type { Nodes } from "../calls/nodes.js";
import { deleteAt } from "../calls/requests.js";
import type { Codec, RawEntry } from "../layout.js";
import { Deadlines } from "./deadlines.js";

/** Below this ttl, in ms, the lease's remaining time says no more than the ttl itself. */
const WORTH_ASKING = 60_000;

/** Decides by their deadlines which entries have expired, and how long the others have left. */
export class Expiry {
  readonly deadlines: Deadlines;
  readonly #nodes: Nodes;
  readonly #codec: Codec;
  readonly #watched: Set<KeyRange> = new Set();

  constructor(nodes: Nodes, codec: Codec) {
    this.#nodes = nodes;
    this.#codec = codec;
    this.deadlines = new Deadlines((key, version) => {
      // Ignore an error: if the store is away, the next reader deletes the entry, or its lease does.
      this.#remove(key, version).catch(() => undefined);
    });
  }

  /**
   * Converts what was read into entries. If some have expired, it deletes them from the store and resolves to
   * `undefined`: the caller must read again. It does not merely hide them. Another process, which does not
   * know that they have expired, would show them after this one reported them as gone.
   *
   * @param timed whether to delete each entry as soon as it expires; otherwise the next reader does
   */
  async judge(
    raw: readonly (RawEntry | undefined)[],
    timed: boolean = true,
  ): Promise<(StoredEntry | undefined)[] | undefined> {
    await this.#learn(raw);
    const expired: RawEntry[] = [];
    const entries = raw.map((entry) => {
      if (entry === undefined) return undefined;
      const judged = this.see(entry, timed);
      if (judged === undefined) expired.push(entry);
      return judged;
    });
    if (expired.length === 0) return entries;
    await Promise.all(expired.map(({ key, version }) => this.#remove(key, version)));
    return undefined;
  }

  /** Returns the entry with its remaining time, or `undefined` if it is known to have expired. */
  see(entry: RawEntry, timed: boolean = true): StoredEntry | undefined {
    const { key, value, version } = entry;
    if (entry.lease === undefined) return { key, value, version };
    const left =
      entry.ttl === undefined ? this.deadlines.left(key, version) : this.deadlines.seen(key, version, entry.ttl, timed);
    if (left === undefined) return { key, value, version };
    return left > 0 ? { key, value, version, expiresIn: left } : undefined;
  }

  /** Deletes the entries of these keys that are known to have expired, so that a commit finds them absent. */
  async settle(keys: readonly string[]): Promise<void> {
    const due = keys.flatMap((key) => {
      const version = this.deadlines.expiredVersion(key);
      return version === undefined ? [] : [this.#remove(key, version)];
    });
    if (due.length > 0) await Promise.all(due);
  }

  /** Call it when a watch begins, which must report entries that expire. Returns a function to undo it. */
  watch(range: KeyRange): () => void {
    this.#watched.add(range);
    this.deadlines.time(range);
    return () => void this.#watched.delete(range);
  }

  /**
   * Whether a watch of this process overlaps this range. Only then does a scan of the range need timers. A
   * sweep reads the sessions of all processes. With timers, each of them would also be deleted at its known
   * end, in vain, which cost as much as all heartbeats together.
   */
  isWatched({ from, to }: KeyRange): boolean {
    for (const watched of this.#watched) if (watched.from < to && from < watched.to) return true;
    return false;
  }

  close(): void {
    this.deadlines.close();
  }

  async #remove(key: string, version: string): Promise<void> {
    await this.#nodes.call("read", (node, limits) => node.txn(deleteAt(this.#codec.key(key), version), limits));
    this.deadlines.gone(key, version);
  }

  /**
   * Asks the leases of entries that this process sees for the first time, if their ttl is long or unknown.
   * Such an entry may have been written long ago. A lease outlives its entries only a little, and so bounds
   * their remaining time.
   */
  async #learn(raw: readonly (RawEntry | undefined)[]): Promise<void> {
    const unknown = raw.filter(
      (entry): entry is RawEntry & { lease: string } =>
        entry?.lease !== undefined &&
        (entry.ttl ?? Number.POSITIVE_INFINITY) >= WORTH_ASKING &&
        this.deadlines.left(entry.key, entry.version) === undefined,
    );
    const leases = new Set(unknown.map(({ lease }) => lease));
    const left = new Map(await Promise.all([...leases].map(async (id) => [id, await this.#leaseLeft(id)] as const)));
    for (const { key, version, lease, ttl } of unknown) {
      const bound = Math.min(left.get(lease) ?? Number.POSITIVE_INFINITY, ttl ?? Number.POSITIVE_INFINITY);
      if (Number.isFinite(bound)) this.deadlines.seen(key, version, bound);
    }
  }

  /** The longest time that a lease may have left, in ms (etcd rounds it down to s); Infinity if unknown. */
  async #leaseLeft(id: string): Promise<number> {
    try {
      const { TTL } = await this.#nodes.call("read", (node, limits) => node.leaseTimeToLive({ ID: id }, limits));
      // -1 does not prove that the lease ended: a new leader may have yet to apply its grant.
      return Number(TTL) < 0 ? Number.POSITIVE_INFINITY : (Number(TTL) + 1) * 1000;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }
}
