import {
  type Backend,
  type BackendType,
  type Commit,
  type CommitOutcome,
  type KeyRange,
  rejectUnknownOptions,
  type ScanPage,
  type ScanRequest,
  type StoredEntry,
  type Supports,
  type WatchSink,
} from "@ojm/core/backend";

const supports: Supports = Object.freeze({
  shared: "process",
  durability: "none",
  commitAcrossChannels: true,
  ttl: true,
  watch: true,
  maxOps: 1_000,
  maxKeyBytes: 4_096,
  maxValueBytes: 1_048_576,
});

/** One object that all who open the same `name` share: here is where your database would be. */
class Store {
  readonly entries = new Map<string, { value: string; version: string; deadline: number }>();
  readonly watches = new Set<{ range: KeyRange; sink: WatchSink }>();
  readonly now: () => number;
  version = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  /** The entry, unless it has reached its deadline: an expired entry is absent for every caller. */
  find(key: string): StoredEntry | undefined {
    const held = this.entries.get(key);
    if (held === undefined) return undefined;
    const { value, version, deadline } = held;
    if (deadline === Number.POSITIVE_INFINITY) return { key, value, version };
    const expiresIn = deadline - this.now();
    return expiresIn > 0 ? { key, value, version, expiresIn } : undefined;
  }

  scan({ from, to, reverse, limit }: ScanRequest): ScanPage {
    const keys = [...this.entries.keys()].filter((key) => key >= from && key < to).sort();
    if (reverse) keys.reverse();
    const found = keys.flatMap((key) => this.find(key) ?? []);
    return { entries: found.slice(0, limit), more: found.length > limit };
  }

  /**
   * Nothing else may happen between the first check and the last write. In a database: one transaction, or
   * one script.
   */
  commit({ checks, writes }: Commit): CommitOutcome {
    const current = checks.map(({ key }) => this.find(key));
    if (checks.some((check, i) => (current[i]?.version ?? null) !== check.version)) return { ok: false, current };
    const version = String(++this.version);
    for (const { key, value, ttl } of writes) {
      const deadline = ttl === undefined ? Number.POSITIVE_INFINITY : this.now() + ttl;
      if (value === null) this.entries.delete(key);
      else this.entries.set(key, { value, version, deadline });
      for (const { range, sink } of this.watches) {
        if (key < range.from || key >= range.to) continue;
        sink.change({ key, value, version, ...(ttl === undefined ? {} : { expiresIn: ttl }) });
      }
    }
    return { ok: true, version };
  }
}

const stores = new Map<unknown, Store>();

export const backend: BackendType = {
  type: "notebook",
  async open(args, { clock }): Promise<Backend> {
    rejectUnknownOptions("notebook", args, ["name"]);
    const store = stores.get(args["name"]) ?? new Store(() => clock.monotonic());
    stores.set(args["name"], store);
    const mine = new Set<{ range: KeyRange; sink: WatchSink }>();
    return {
      supports,
      read: async (keys) => keys.map((key) => store.find(key)),
      scan: async (request) => store.scan(request),
      commit: async (commit) => store.commit(commit),
      async watch(range, sink) {
        const watch = { range, sink };
        store.watches.add(watch);
        mine.add(watch);
        return () => void store.watches.delete(watch);
      },
      async close() {
        for (const watch of mine) store.watches.delete(watch);
      },
    };
  },
};
