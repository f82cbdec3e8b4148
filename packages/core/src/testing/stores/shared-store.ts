import { backend as simple } from "@ojm/simple";
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
import { ChannelError } from "../../channel/errors.js";
import type { FakeClock } from "../fake-clock.js";

/** A store in memory that can be restarted. All stores of the same clock share their content. */
export class SharedStore implements Backend {
  readonly supports: Supports;
  /** The content, which checks can read even while the store is away. */
  readonly memory: Backend;
  readonly #clock: FakeClock;
  readonly #sinks: Set<WatchSink> = new Set();
  #away = 0;

  private constructor(memory: Backend, clock: FakeClock) {
    this.supports = memory.supports;
    this.memory = memory;
    this.#clock = clock;
  }

  static async open(clock: FakeClock): Promise<SharedStore> {
    return new SharedStore(await simple.open({}, { clock }), clock);
  }

  /** Makes the store unavailable for `ms`, without reporting changes. Then each watch gets a gap. */
  restart(ms: number): void {
    this.#away++;
    this.#clock.after(ms, () => {
      if (--this.#away > 0) return;
      for (const sink of [...this.#sinks]) sink.gap();
    });
  }

  /**
   * Forgets the content of `range`, even while the store is away. Resolves to a version: all forgotten
   * versions are below it, and all later ones are above it.
   */
  async forget(range: KeyRange): Promise<string> {
    const { entries } = await this.memory.scan({ ...range, reverse: false, limit: 1_000_000, values: false });
    const writes = entries.map(({ key }) => ({ key, value: null }));
    const outcome = await this.memory.commit({ checks: [], writes });
    if (!outcome.ok) throw new Error("nothing was asked for that could fail");
    return outcome.version;
  }

  async read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    this.#reach();
    return this.memory.read(keys);
  }

  async scan(request: ScanRequest): Promise<ScanPage> {
    this.#reach();
    return this.memory.scan(request);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    this.#reach();
    return this.memory.commit(commit);
  }

  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    this.#reach();
    const stop = await this.memory.watch(range, {
      change: (change) => {
        if (this.#away === 0) sink.change(change);
      },
      gap: () => sink.gap(),
      fail: (error) => sink.fail(error),
    });
    this.#sinks.add(sink);
    return () => {
      this.#sinks.delete(sink);
      stop();
    };
  }

  async close(): Promise<void> {}

  #reach(): void {
    if (this.#away > 0) throw new ChannelError("UNAVAILABLE", "the store is being restarted", { retryable: true });
  }
}
