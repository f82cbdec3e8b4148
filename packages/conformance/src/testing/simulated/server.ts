import type {
  Clock,
  Commit,
  CommitOutcome,
  KeyRange,
  ScanPage,
  ScanRequest,
  StoredChange,
  StoredCheck,
  StoredEntry,
  StoredWrite,
} from "@ojm/core/backend";

/** What the server stores of an entry. */
export interface Held {
  readonly value: string;
  readonly version: string;
  /** By the server's clock; `Infinity` if the entry never expires. */
  readonly deadline: number;
}

/** A receiver of the changes in a range. */
export interface Subscriber {
  readonly range: KeyRange;
  tell(change: StoredChange): void;
}

/**
 * A correct store, as simple as possible. Each planted bug overrides a few of its members, so there can be
 * many small ones.
 */
export class Server {
  readonly clock: Clock;
  protected entries: Map<string, Held> = new Map();
  protected subscribers: Set<Subscriber> = new Set();
  protected lastVersion = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  read(keys: readonly string[]): (StoredEntry | undefined)[] {
    return keys.map((key) => this.find(key));
  }

  scan({ from, to, reverse, limit }: ScanRequest): ScanPage {
    const keys = this.keysBetween(from, to);
    if (reverse) keys.reverse();
    const entries: StoredEntry[] = [];
    for (const key of keys) {
      const entry = this.find(key);
      if (entry === undefined) continue;
      if (entries.length === limit) return { entries, more: true };
      entries.push(entry);
    }
    return { entries, more: false };
  }

  commit({ checks, writes }: Commit): CommitOutcome {
    if (!checks.every((check) => this.holds(check))) {
      return { ok: false, current: checks.map(({ key }) => this.find(key)) };
    }
    const version = this.nextVersion();
    for (const write of writes) this.apply(write, version);
    return { ok: true, version };
  }

  subscribe(subscriber: Subscriber): () => void {
    this.subscribers.add(subscriber);
    return () => void this.subscribers.delete(subscriber);
  }

  /** Acts as if killed and started again: the data stays, the subscribers are lost. */
  restart(): void {
    this.subscribers.clear();
  }

  protected find(key: string): StoredEntry | undefined {
    const held = this.entries.get(key);
    if (held === undefined) return undefined;
    const { value, version, deadline } = held;
    if (deadline === Number.POSITIVE_INFINITY) return { key, value, version };
    const expiresIn = deadline - this.clock.monotonic();
    return expiresIn > 0 ? { key, value, version, expiresIn } : undefined;
  }

  protected holds({ key, version }: StoredCheck): boolean {
    return (this.find(key)?.version ?? null) === version;
  }

  protected keysBetween(from: string, to: string): string[] {
    return [...this.entries.keys()].filter((key) => key >= from && key < to).sort();
  }

  protected nextVersion(): string {
    return String(++this.lastVersion);
  }

  protected apply({ key, value, ttl }: StoredWrite, version: string): void {
    if (value === null) this.entries.delete(key);
    else this.entries.set(key, { value, version, deadline: this.deadline(ttl) });
    this.announce({ key, value, version, ...(ttl === undefined || value === null ? {} : { expiresIn: ttl }) });
  }

  protected deadline(ttl: number | undefined): number {
    return ttl === undefined ? Number.POSITIVE_INFINITY : this.clock.monotonic() + ttl;
  }

  protected announce(change: StoredChange): void {
    for (const { range, tell } of this.subscribers) if (change.key >= range.from && change.key < range.to) tell(change);
  }
}
