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
} from "../../channel/backend/backend.js";
import { ChannelError } from "../../channel/errors.js";
import type { Clock } from "../../util/clock.js";

/**
 * The fault of a call. `slow`: applied after `ms`. `slow reply`: applied at once, and answered after `ms`.
 * `doubled`: applied and answered at once, and repeated after `ms`, when no caller waits for the answer.
 * `refused`: the store reports at once that it is away. `full`: it reports at once that it is full. `request
 * lost` and `reply lost`: no answer comes before the deadline, and only the second one is applied. `late`:
 * applied, but only `ms` after the caller stopped waiting.
 */
export type Fault =
  | { readonly type: "slow" | "slow reply" | "doubled"; readonly ms: number }
  | { readonly type: "refused" | "full" }
  | { readonly type: "request lost" }
  | { readonly type: "reply lost" }
  | { readonly type: "late"; readonly ms: number };

export type Call = { readonly kind: "read" | "scan" } | { readonly kind: "commit"; readonly commit: Commit };

/** How long a client waits for an answer, in ms. */
const DEADLINE = 1_000;

/** A way to a store on which calls fail as `fault` decides. */
export class FaultyBackend implements Backend {
  readonly supports: Supports;
  /** Decides each call; `undefined` means that it succeeds. */
  fault: (call: Call) => Fault | undefined = () => undefined;
  /** The process gets answers and events only once this resolves: a stopped or dead process gets none. */
  heard: () => Promise<void> = async () => {};
  /** Called with each commit, as it is sent. */
  sent: (commit: Commit) => void = () => {};
  /** Called with each applied commit, once its caller gets the answer, if it still waits. */
  answered: (commit: Commit) => void = () => {};
  /** Called with each commit that was applied a second time. */
  repeated: (commit: Commit) => void = () => {};
  readonly commits: Commit[] = [];
  reads = 0;
  /** Report to each watch that changes may have been missed. */
  readonly gaps: Set<() => void> = new Set();
  /** Ends the calls in progress. */
  readonly #underWay: Set<() => void> = new Set();
  readonly #store: Backend;
  readonly #clock: Clock;

  constructor(store: Backend, clock: Clock, supports: Partial<Supports> = {}) {
    this.#store = store;
    this.#clock = clock;
    this.supports = Object.freeze({ ...store.supports, ...supports });
  }

  /** Applies `fault` to the next commit that writes a key with `part` in it, and to no later call. */
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

  async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    this.commits.push(commit);
    this.sent(commit);
    const outcome = await this.#call({ kind: "commit", commit }, () => this.#store.commit(commit, options));
    if (outcome.ok && options?.signal?.aborted !== true) this.answered(commit);
    return outcome;
  }

  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    let last = Promise.resolve();
    const inTurn = (tell: () => void): void => {
      last = last.then(this.heard).then(tell);
    };
    const gap = (): void => inTurn(() => sink.gap());
    this.gaps.add(gap);
    const end = await this.#store.watch(range, {
      change: (change) => inTurn(() => sink.change(change)),
      gap,
      fail: (error) => inTurn(() => sink.fail(error)),
    });
    return () => {
      this.gaps.delete(gap);
      end();
    };
  }

  async close(): Promise<void> {}

  /** Breaks the connection: calls in progress reject, and the outcome of their commits is unknown. */
  hangUp(): void {
    for (const end of [...this.#underWay]) end();
  }

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
        await this.#wait(fault.ms, outcome);
        return apply();
      case "slow reply": {
        const answer = await apply();
        await this.#wait(fault.ms, outcome);
        return answer;
      }
      case "doubled":
        this.#later(fault.ms, async () => {
          const outcome = await apply();
          if (call.kind === "commit" && (outcome as CommitOutcome).ok) this.repeated(call.commit);
        });
        return apply();
      case "refused":
        throw new ChannelError("UNAVAILABLE", "the store is away", { retryable: true });
      case "full":
        throw new ChannelError("FULL", "the disk is full", { retryable: true });
      case "reply lost":
        await apply();
        break;
      case "late":
        this.#later(DEADLINE + fault.ms, apply);
        break;
      case "request lost":
        break;
    }
    await this.#wait(DEADLINE, outcome);
    throw new ChannelError("TIMEOUT", "the store did not answer in time", { retryable: true, outcome });
  }

  /** Applies a call later, and ignores its result: no caller waits for it. */
  #later(ms: number, apply: () => Promise<unknown>): void {
    this.#clock.after(ms, () => void apply().catch(() => {}));
  }

  #wait(ms: number, outcome: "unknown" | "not-applied"): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(
        ms,
        () => {
          this.#underWay.delete(end);
          resolve();
        },
        true,
      );
      const end = (): void => {
        this.#underWay.delete(end);
        cancel();
        reject(new ChannelError("UNAVAILABLE", "the connection broke", { retryable: true, outcome }));
      };
      this.#underWay.add(end);
    });
  }
}
