import {
  type Backend,
  type CallOptions,
  ChannelError,
  type Commit,
  type CommitOutcome,
  isChannelError,
  type KeyRange,
  type LayoutMark,
  type LogBudget,
  type ScanPage,
  type ScanRequest,
  type StoredEntry,
  type Supports,
  type WatchSink,
} from "@ojm/core/backend";
import type { TxnResponse } from "./calls/messages.js";
import type { Nodes } from "./calls/nodes.js";
import { commitRequest, readAll, touch } from "./calls/requests.js";
import { Expiry } from "./expiry/expiry.js";
import { type Lease, Leases } from "./expiry/leases.js";
import type { Codec, RawEntry } from "./layout.js";
import { Scans } from "./scan/scan.js";
import { RangeWatch } from "./watch/range-watch.js";
import { WatchStreams } from "./watch/streams.js";

/** etcd's default `--max-txn-ops`, for checks and for writes. This backend counts them together. */
const MAX_OPS = 128;

/**
 * etcd keeps the history of each key until it is compacted, and is small by default (2 GiB). So a log stores
 * few lines, is seldom written, and keeps no lines of a run that completed.
 */
const LOGS: LogBudget = Object.freeze({
  head: 32 * 1_024,
  tail: 96 * 1_024,
  chunk: 32 * 1_024,
  interval: 1_000,
  ttl: 3 * 86_400_000,
  completed: false,
});

const SUPPORTS: Supports = Object.freeze({
  shared: "network",
  durability: "host",
  commitAcrossChannels: true,
  ttl: true,
  watch: true,
  maxOps: MAX_OPS,
  maxKeyBytes: 8_192,
  // etcd accepts requests of up to 1.5 MiB by default (`--max-request-bytes`), keys and overhead included.
  maxValueBytes: 1_048_576,
  logs: LOGS,
});

/** Channels in etcd: each entry is a key of the store, and its version is the revision of its last change. */
export class EtcdBackend implements Backend {
  readonly supports: Supports = SUPPORTS;
  readonly #nodes: Nodes;
  readonly #codec: Codec;
  readonly #layout: LayoutMark;
  readonly #leases: Leases;
  readonly #expiry: Expiry;
  readonly #scans: Scans;
  readonly #streams: WatchStreams;
  readonly #watches: Set<RangeWatch> = new Set();

  /** @param deadline the longest time that a call may take, in ms */
  constructor(nodes: Nodes, codec: Codec, layout: LayoutMark, deadline: number) {
    this.#nodes = nodes;
    this.#codec = codec;
    this.#layout = layout;
    this.#leases = new Leases(nodes, deadline);
    this.#expiry = new Expiry(nodes, codec);
    this.#scans = new Scans(nodes, codec);
    this.#streams = new WatchStreams(codec.revisionKey);
  }

  async read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    this.#layout.assertKnown();
    const parts: Promise<(StoredEntry | undefined)[]>[] = [];
    for (let start = 0; start < keys.length; start += MAX_OPS) {
      parts.push(this.#readSome(keys.slice(start, start + MAX_OPS), options));
    }
    return (await Promise.all(parts)).flat();
  }

  async scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage> {
    this.#layout.assertKnown();
    for (;;) {
      const { raw, more } = await this.#scans.page(request, options);
      const entries = await this.#expiry.judge(raw, this.#expiry.isWatched(request));
      if (entries !== undefined) return { entries: entries.filter((entry) => entry !== undefined), more };
    }
  }

  async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    this.#layout.assertKnown();
    const ops = commit.checks.length + commit.writes.length;
    if (ops > MAX_OPS) {
      throw new ChannelError("TOO_LARGE", `${ops} checks and writes in one commit: etcd takes ${MAX_OPS}`);
    }
    if (commit.writes.length > 0) this.#layout.check();
    await this.#expiry.settle(commit.checks.map(({ key }) => key));
    for (;;) {
      const response = await this.#send(commit, options);
      if (response.succeeded) return { ok: true, version: await this.#succeeded(commit, response) };
      const raw = this.#entriesOf(response);
      const current = await this.#expiry.judge(raw);
      // `undefined`: a checked entry had expired and is deleted now. Nothing was changed, so send again.
      if (current !== undefined) return { ok: false, current };
    }
  }

  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    this.#layout.assertKnown();
    const watch = new RangeWatch(this.#nodes, this.#streams, this.#codec, this.#expiry, range, sink);
    const unwatch = this.#expiry.watch(range);
    this.#watches.add(watch);
    const stop = (): void => {
      unwatch();
      watch.stop();
      this.#watches.delete(watch);
    };
    try {
      await watch.start();
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.stop();
    this.#watches.clear();
    this.#streams.close();
    this.#expiry.close();
    this.#nodes.close();
  }

  async #readSome(keys: readonly string[], options: CallOptions | undefined): Promise<(StoredEntry | undefined)[]> {
    for (;;) {
      const entries = await this.#expiry.judge(await this.#readRaw(keys, options));
      if (entries !== undefined) return entries;
    }
  }

  async #readRaw(keys: readonly string[], options: CallOptions | undefined): Promise<(RawEntry | undefined)[]> {
    const [first, ...more] = keys.map((key) => this.#codec.key(key));
    if (first === undefined) return [];
    if (more.length > 0) {
      const request = readAll([first, ...more]);
      return this.#entriesOf(await this.#nodes.call("read", (node, limits) => node.txn(request, limits), options));
    }
    // This is the most frequent call, and a range costs the node less than a transaction.
    const { kvs } = await this.#nodes.call("read", (node, limits) => node.range({ key: first }, limits), options);
    return [kvs[0] === undefined ? undefined : this.#codec.entry(kvs[0])];
  }

  /** Sends a commit; again only if etcd refused it because one of our leases no longer exists. */
  async #send(commit: Commit, options: CallOptions | undefined): Promise<TxnResponse> {
    try {
      return await this.#sendOnce(commit, options);
    } catch (error) {
      if (!isChannelError(error) || !error.message.includes("requested lease not found")) throw error;
      this.#leases.clear();
      return await this.#sendOnce(commit, options);
    }
  }

  async #sendOnce(commit: Commit, options: CallOptions | undefined): Promise<TxnResponse> {
    const leaseOf = new Map<number, Lease>();
    for (const { ttl } of commit.writes) {
      if (ttl !== undefined && !leaseOf.has(ttl)) leaseOf.set(ttl, await this.#leases.take(ttl));
    }
    const until = Math.min(...Array.from(leaseOf.values(), ({ appliedBy }) => appliedBy));
    const request = commitRequest(this.#codec, commit.checks, commit.writes, leaseOf);
    const kind = commit.writes.length === 0 ? "read" : "write";
    return await this.#nodes.call(kind, (node, limits) => node.txn(request, limits), { ...options, until });
  }

  async #succeeded(commit: Commit, response: TxnResponse): Promise<string> {
    const version = String(response.header.revision);
    for (const { key, value, ttl } of commit.writes) {
      if (value !== null && ttl !== undefined) this.#expiry.deadlines.seen(key, version, ttl);
    }
    if (commit.writes.length === 0 || commit.writes.some(({ value }) => value !== null)) return version;
    const deleted = response.responses.some((each) => Number(each.response_delete_range?.deleted ?? 0) > 0);
    // Deleting absent keys changes nothing: the revision in the response may belong to an entry.
    return deleted ? version : await this.#newRevision();
  }

  async #newRevision(): Promise<string> {
    const request = touch(this.#codec.revisionKey);
    const { header } = await this.#nodes.call("read", (node, limits) => node.txn(request, limits));
    return String(header.revision);
  }

  #entriesOf(response: TxnResponse): (RawEntry | undefined)[] {
    return response.responses.map((each) => {
      const kv = each.response_range?.kvs[0];
      return kv === undefined ? undefined : this.#codec.entry(kv);
    });
  }
}
