import type {
  Backend,
  CallOptions,
  Commit,
  CommitOutcome,
  KeyRange,
  ScanPage,
  ScanRequest,
  StoredEntry,
  Supports,
  WatchSink,
} from "../channel/backend.js";
import { ChannelError } from "../channel/errors.js";
import type { Clock } from "../clock.js";

/**
 * What becomes of a call. `refused`: the store says at once that it is away. `request lost` and `reply lost`: nothing comes back until the
 * deadline, and only the second one was applied. `late`: applied, but only `ms` after the caller stopped waiting.
 */
export type Fault =
  | { readonly type: "slow"; readonly ms: number }
  | { readonly type: "refused" }
  | { readonly type: "request lost" }
  | { readonly type: "reply lost" }
  | { readonly type: "late"; readonly ms: number };

export type Call = { readonly kind: "read" | "scan" } | { readonly kind: "commit"; readonly commit: Commit };

/** How long a client waits for an answer. */
const DEADLINE = 1_000;

/** A way to a store on which calls go wrong when `fault` says so. */
export class FaultyBackend implements Backend {
  readonly supports: Supports;
  /** Decides on each call; undefined: all goes well. */
  fault: (call: Call) => Fault | undefined = () => undefined;
  /** What the process hears of the store passes through here: one that is stopped or dead hears nothing. */
  heard: () => Promise<void> = async () => {};
  readonly commits: Commit[] = [];
  reads = 0;
  readonly #store: Backend;
  readonly #clock: Clock;

  constructor(store: Backend, clock: Clock, supports: Partial<Supports> = {}) {
    this.#store = store;
    this.#clock = clock;
    this.supports = Object.freeze({ ...store.supports, ...supports });
  }

  /** The next commit that touches a key with `part` in it goes wrong like this; then all goes well again. */
  once(part: string, fault: Fault): void {
    const before = this.fault;
    this.fault = (call) => {
      if (call.kind !== "commit" || !call.commit.writes.some(({ key }) => key.includes(part))) return before(call);
      this.fault = before;
      return fault;
    };
  }

  read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    this.reads++;
    return this.#call({ kind: "read" }, () => this.#store.read(keys, options));
  }

  scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage> {
    this.reads++;
    return this.#call({ kind: "scan" }, () => this.#store.scan(request, options));
  }

  commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    this.commits.push(commit);
    return this.#call({ kind: "commit", commit }, () => this.#store.commit(commit, options));
  }

  watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    let last = Promise.resolve();
    const inTurn = (tell: () => void): void => {
      last = last.then(this.heard).then(tell);
    };
    return this.#store.watch(range, {
      change: (change) => inTurn(() => sink.change(change)),
      gap: () => inTurn(() => sink.gap()),
      fail: (error) => inTurn(() => sink.fail(error)),
    });
  }

  async close(): Promise<void> {}

  async #call<T>(call: Call, apply: () => Promise<T>): Promise<T> {
    try {
      return await this.#answer(call, apply);
    } finally {
      await this.heard();
    }
  }

  async #answer<T>(call: Call, apply: () => Promise<T>): Promise<T> {
    const fault = this.fault(call);
    if (fault === undefined) return apply();
    const outcome = call.kind === "commit" ? "unknown" : "not-applied";
    switch (fault.type) {
      case "slow":
        await this.#wait(fault.ms);
        return apply();
      case "refused":
        throw new ChannelError("UNAVAILABLE", "the store is away", { retryable: true });
      case "reply lost":
        await apply();
        break;
      case "late":
        this.#clock.after(DEADLINE + fault.ms, () => void apply());
        break;
      case "request lost":
        break;
    }
    await this.#wait(DEADLINE);
    throw new ChannelError("TIMEOUT", "the store did not answer in time", { retryable: true, outcome });
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve, true));
  }
}
