import type {
  Backend,
  CallOptions,
  Commit,
  CommitOutcome,
  KeyRange,
  ScanPage,
  ScanRequest,
  StoredEntry,
  WatchSink,
} from "../../channel/backend/backend.js";
import type { Clock } from "../../util/clock.js";
import { PassedOn } from "./passed-on.js";

/** A store that hides its clock, like etcd: an entry ends once an observer has seen it for its whole time. */
export class ObserversTime extends PassedOn {
  readonly #life: number;
  /** The end of each entry's life for this observer, by key and version. */
  readonly #until: Map<string, number> = new Map();

  /** `life`: that of all entries with a time to live, in ms. Open the store only through this class. */
  constructor(store: Backend, clock: Clock, life: number) {
    super(store, clock);
    this.#life = life;
  }

  override async read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    return Promise.all((await this.store.read(keys, options)).map((entry) => entry && this.#judge(entry)));
  }

  override async scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage> {
    const { entries, more } = await this.store.scan(request, options);
    const judged = await Promise.all(entries.map((entry) => this.#judge(entry)));
    return { entries: judged.filter((entry) => entry !== undefined), more };
  }

  override commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const marked = writes.map(({ key, value, ttl }) => ({ key, value: ttl === undefined ? value : ` ${value}` }));
    return this.store.commit({ checks, writes: marked }, options);
  }

  override watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    const change = (change: Parameters<WatchSink["change"]>[0]): void => {
      const { value } = change;
      if (value !== null) this.#left({ ...change, value });
      sink.change({ ...change, value: value?.trimStart() ?? null });
    };
    return this.store.watch(range, { change, gap: () => sink.gap(), fail: (error) => sink.fail(error) });
  }

  async #judge(entry: StoredEntry): Promise<StoredEntry | undefined> {
    const { key, value, version } = entry;
    const left = this.#left(entry);
    if (left === undefined) return entry;
    if (left > 0) return { key, value: value.trimStart(), version, expiresIn: left };
    await this.store.commit({ checks: [{ key, version }], writes: [{ key, value: null }] });
    return undefined;
  }

  #left({ key, value, version }: StoredEntry): number | undefined {
    if (!value.startsWith(" ")) return undefined;
    const now = this.clock.monotonic();
    const until = this.#until.get(`${key}@${version}`) ?? now + this.#life;
    this.#until.set(`${key}@${version}`, until);
    return until - now;
  }
}
