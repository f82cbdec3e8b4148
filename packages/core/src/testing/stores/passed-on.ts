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
import type { Clock } from "../../util/clock.js";

/** Passes all calls on to a store, unchanged. */
export class PassedOn implements Backend {
  readonly supports: Supports;
  readonly store: Backend;
  readonly clock: Clock;

  constructor(store: Backend, clock: Clock) {
    this.store = store;
    this.clock = clock;
    this.supports = store.supports;
  }

  read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    return this.store.read(keys, options);
  }

  scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage> {
    return this.store.scan(request, options);
  }

  commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return this.store.commit(commit, options);
  }

  watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    return this.store.watch(range, sink);
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
