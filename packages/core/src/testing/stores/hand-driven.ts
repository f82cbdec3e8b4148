import type {
  Backend,
  Commit,
  CommitOutcome,
  KeyRange,
  ScanPage,
  ScanRequest,
  StoredEntry,
  Supports,
  WatchSink,
} from "../../channel/backend/backend.js";

/** A backend in which a test decides everything: the results of scans, and the events of watches. */
export class HandDriven implements Backend {
  readonly supports: Supports;
  entries: StoredEntry[] = [];
  /** The sinks of the open watches. */
  readonly sinks: Set<WatchSink> = new Set();
  readonly scans: ScanRequest[] = [];
  /** Called before each page is read. */
  beforePage: () => void | Promise<void> = () => {};
  closed = false;

  constructor(supports: Partial<Supports> = {}) {
    this.supports = {
      shared: "process",
      durability: "none",
      commitAcrossChannels: true,
      ttl: true,
      watch: true,
      maxOps: 100,
      maxKeyBytes: 1_000,
      maxValueBytes: 10_000,
      ...supports,
    };
  }

  tell(key: string, value: unknown, version: number, expiresIn?: number): void {
    const text = value === null ? null : JSON.stringify(value);
    const change = { key, value: text, version: String(version), ...(expiresIn === undefined ? {} : { expiresIn }) };
    for (const sink of this.sinks) sink.change(change);
  }

  async read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return keys.map((key) => this.entries.find((entry) => entry.key === key));
  }

  async scan(request: ScanRequest): Promise<ScanPage> {
    await this.beforePage();
    this.scans.push(request);
    const { from, to, reverse, limit } = request;
    const inside = this.entries.filter(({ key }) => key >= from && key < to).sort((a, b) => (a.key < b.key ? -1 : 1));
    if (reverse) inside.reverse();
    return { entries: inside.slice(0, limit), more: inside.length > limit };
  }

  async commit(_commit: Commit): Promise<CommitOutcome> {
    return { ok: true, version: "1" };
  }

  async watch(_range: KeyRange, sink: WatchSink): Promise<() => void> {
    this.sinks.add(sink);
    return () => void this.sinks.delete(sink);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
