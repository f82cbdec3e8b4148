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
} from "@ojm/core/backend";
import type { Network } from "./network.js";
import type { Server } from "./server.js";
import type { Transaction } from "./transaction.js";

/** What a simulated store declares. */
export const supports: Supports = Object.freeze({
  shared: "network",
  durability: "process",
  commitAcrossChannels: true,
  ttl: true,
  watch: true,
  transactions: true,
  maxOps: 2_000,
  maxKeyBytes: 65_536,
  maxValueBytes: 1_048_576,
});

/**
 * A client of a {@link Server}. It sends messages, waits for the answers, and resumes its watches after a
 * lost connection.
 */
export class Client implements Backend {
  readonly supports: Supports = supports;
  protected readonly server: Server;
  protected readonly network: Network;
  protected readonly stops: Set<() => void> = new Set();

  constructor(server: Server, network: Network) {
    this.server = server;
    this.network = network;
  }

  read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return this.network.send(() => this.server.read(keys), "not-applied");
  }

  scan(request: ScanRequest): Promise<ScanPage> {
    return this.network.send(() => this.server.scan(request), "not-applied");
  }

  commit(commit: Commit): Promise<CommitOutcome> {
    // A message is a copy, so that later changes to the objects of the caller do not reach the server.
    const { checks, writes } = structuredClone(commit);
    return this.network.send(() => this.server.commit({ checks, writes }), "unknown");
  }

  async commitIn(transaction: unknown, commit: Commit): Promise<void> {
    const copy = structuredClone({ checks: [...commit.checks], writes: [...commit.writes] });
    await this.network.send(() => (transaction as Transaction).join(copy), "not-applied");
  }

  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    const watch = new Subscription(this.server, this.network, range, sink);
    const stop = (): void => {
      watch.stop();
      this.stops.delete(stop);
    };
    this.stops.add(stop);
    await this.network.travel();
    return stop;
  }

  async close(): Promise<void> {
    for (const stop of [...this.stops]) stop();
  }
}

/** A watch that survives lost connections. It reports a gap when it may have missed something. */
export class Subscription {
  readonly #server: Server;
  readonly #network: Network;
  readonly #range: KeyRange;
  readonly #sink: WatchSink;
  readonly #stopListening: () => void;
  #unsubscribe: () => void = () => {};
  #stopped = false;
  #arrived: Promise<void> = Promise.resolve();

  constructor(server: Server, network: Network, range: KeyRange, sink: WatchSink) {
    this.#server = server;
    this.#network = network;
    this.#range = range;
    this.#sink = sink;
    this.#stopListening = network.onReconnect(() => {
      this.#connect();
      this.#push(() => sink.gap());
    });
    this.#connect();
  }

  #connect(): void {
    this.#unsubscribe();
    const tell = (change: Parameters<WatchSink["change"]>[0]): void => {
      if (this.#network.hears) this.#push(() => this.#sink.change(change));
    };
    this.#unsubscribe = this.#server.subscribe({ range: this.#range, tell });
  }

  /** Delivers one after the other, as on one connection. */
  #push(deliver: () => void): void {
    this.#arrived = this.#arrived.then(async () => {
      await this.#network.travel();
      if (!this.#stopped) deliver();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    this.#stopListening();
  }
}
