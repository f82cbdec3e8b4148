import {
  type Backend,
  type CallOptions,
  ChannelError,
  type Commit,
  type CommitOutcome,
  type KeyRange,
  type LayoutMark,
  type ScanPage,
  type ScanRequest,
  type StoredEntry,
  type Supports,
  type WatchSink,
} from "@ojm/core/backend";
import { encodeCommit } from "./commit/encode.js";
import { JoinedCommits } from "./commit/joined.js";
import { commitScript, joinedScript } from "./commit/script.js";
import type { RedisClient } from "./connection/client.js";
import type { Connection } from "./connection/connection.js";
import type { Replicas } from "./connection/replicas.js";
import type { EvictionWatch } from "./connection/server.js";
import { ofRead } from "./errors.js";
import { JoinedReads } from "./joined-reads.js";
import { channelOf, type Names } from "./layout.js";
import { areEntries, entryAt, foreignReply, isPage, outcomeOf, REPLIES, type Reply } from "./reply.js";
import { evaluate, readScript, type Script, scanScript } from "./scripts.js";
import { type LexRange, lexRangeOf, rangeOf } from "./watch/ranges.js";
import type { Watches } from "./watch/watches.js";

/** The most keys that one script reads. */
const BATCH = 1_000;

export interface RedisBackendOptions {
  readonly connection: Connection;
  readonly watches: Watches;
  readonly names: Names;
  readonly layout: LayoutMark;
  readonly supports: Supports;
  /** `SPUBLISH` in a Cluster. */
  readonly publish: "PUBLISH" | "SPUBLISH";
  readonly where: string;
  /** Present if writes wait for replicas. */
  readonly replicas: Replicas | undefined;
  /** `undefined` if the options allow the server to drop entries. */
  readonly eviction: EvictionWatch | undefined;
}

/** Channels in Redis or Valkey. Each call is one script in the server, and one round trip. */
export class RedisBackend implements Backend {
  readonly supports: Supports;
  readonly #options: RedisBackendOptions;
  readonly #connection: Connection;
  readonly #names: Names;
  /** The script of a commit without writes, and of one with. */
  readonly #compare: Script;
  readonly #write: Script;
  /** `undefined` if each commit is a call of its own. */
  readonly #joined: JoinedCommits | undefined;
  readonly #reads: JoinedReads = new JoinedReads((entries) => this.#readAlone(entries));

  constructor(options: RedisBackendOptions) {
    this.supports = options.supports;
    this.#options = options;
    this.#connection = options.connection;
    this.#names = options.names;
    const { connection, publish, names, replicas, where } = options;
    const setup = { publish, suffix: names.suffix, prefixBytes: names.prefixBytes };
    this.#compare = commitScript({ ...setup, replicas: 0 });
    this.#write = replicas === undefined ? this.#compare : commitScript({ ...setup, replicas: replicas.count });
    // No joining in a Cluster, where a script runs on one node, or with replicas: a WAIT is for one commit.
    if (!options.supports.commitAcrossChannels || replicas !== undefined) return;
    const several = joinedScript({ ...setup, replicas: 0 });
    const version = names.version("");
    this.#joined = new JoinedCommits({ connection, one: this.#compare, several, version, where });
  }

  async read(keys: readonly string[], { signal }: CallOptions = {}): Promise<(StoredEntry | undefined)[]> {
    this.#options.layout.assertKnown();
    const found = new Map<string, StoredEntry>();
    const readBatch = async (batch: readonly string[]): Promise<void> => {
      const entries = batch.map((key) => this.#names.entry(key));
      const together = signal === undefined && this.supports.commitAcrossChannels;
      const reply = await (together ? this.#reads.read(entries) : this.#readAlone(entries, signal));
      batch.forEach((key, i) => {
        const entry = entryAt(reply, i * REPLIES, key);
        if (entry !== undefined) found.set(key, entry);
      });
    };
    await Promise.all(this.#batches(keys).map(readBatch));
    return keys.map((key) => found.get(key));
  }

  async scan(request: ScanRequest, { signal }: CallOptions = {}): Promise<ScanPage> {
    this.#options.layout.assertKnown();
    const { channel, from, to } = lexRangeOf(request);
    const { reverse, limit, values } = request;
    let range: Pick<LexRange, "from" | "to"> = { from, to };
    for (;;) {
      const args = [range.from, range.to, reverse ? "reverse" : "", String(limit), values ? "values" : ""];
      const reply = await this.#look(scanScript, [this.#names.index(channel)], args, signal);
      if (!isPage(reply)) throw foreignReply(this.#options.where, "not-applied");
      const next = String(reply[0]);
      const entries: StoredEntry[] = [];
      for (let at = 1; at < reply.length; at += 4) {
        const entry = entryAt(reply, at + 1, `${channel} ${reply[at]}`, values);
        if (entry !== undefined) entries.push(entry);
      }
      // Do not return an empty page before the end: it looks like the end, and has no key to continue from.
      // The keys of expired entries can leave a page empty.
      if (entries.length > 0 || next === "") return { entries, more: next !== "" };
      range = reverse ? { from: range.from, to: next } : { from: next, to: range.to };
    }
  }

  // Not async: passing on a promise takes three more turns of the microtask queue.
  commit(commit: Commit, { signal }: CallOptions = {}): Promise<CommitOutcome> {
    const { layout, eviction } = this.#options;
    eviction?.check();
    try {
      layout.assertKnown();
      if (commit.writes.length > 0) layout.check();
      if (this.#joined === undefined) return this.#commitAlone(commit, signal);
      return this.#joined.commit(commit, encodeCommit(commit, this.#names), signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    this.#options.layout.assertKnown();
    return this.#options.watches.watch(rangeOf(range), sink);
  }

  async close(): Promise<void> {
    this.#options.watches.close();
    this.#reads.send();
    this.#joined?.send();
    await this.#connection.close();
  }

  async #commitAlone(commit: Commit, signal: AbortSignal | undefined): Promise<CommitOutcome> {
    const version = this.#names.version(this.#channelOf(commit));
    const encoded = encodeCommit(commit, this.#names);
    const writes = commit.writes.length > 0;
    const replicas = writes ? this.#options.replicas : undefined;
    const script = writes ? this.#write : this.#compare;
    const reply = await this.#run(script, [version, ...encoded.keys], encoded.args, signal, replicas);
    return outcomeOf(reply, commit, encoded, this.#options.where);
  }

  async #readAlone(entries: readonly string[], signal?: AbortSignal): Promise<readonly Reply[]> {
    const reply = await this.#look(readScript, entries, [], signal);
    if (areEntries(reply, entries.length)) return reply;
    throw foreignReply(this.#options.where, "not-applied");
  }

  /** Runs a script that only reads. */
  async #look(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    signal?: AbortSignal,
  ): Promise<unknown> {
    try {
      return await this.#run(script, keys, args, signal);
    } catch (error) {
      throw ofRead(error);
    }
  }

  #run(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    signal?: AbortSignal,
    replicas?: Replicas | undefined,
  ): Promise<unknown> {
    // Commits that were made before this call must reach the server before it.
    this.#joined?.send();
    const send = async (client: RedisClient): Promise<unknown> => {
      const reply = await evaluate(client, script, keys, args);
      await replicas?.confirm(client, typeof reply === "string");
      return reply;
    };
    return this.#connection.call(send, signal);
  }

  /** Splits keys into what one script can read: in a Cluster, only keys of one channel. */
  #batches(keys: readonly string[]): string[][] {
    const batches: string[][] = [];
    const open = new Map<string, string[]>();
    for (const key of keys) {
      const node = this.supports.commitAcrossChannels ? "" : channelOf(key);
      let batch = open.get(node);
      if (batch === undefined || batch.length === BATCH) {
        batch = [];
        batches.push(batch);
        open.set(node, batch);
      }
      batch.push(key);
    }
    return batches;
  }

  /**
   * The channel that decides on which node of a Cluster the commit runs.
   *
   * @throws ChannelError `NOT_SUPPORTED` if the commit touches several channels
   */
  #channelOf({ checks, writes }: Commit): string {
    if (this.supports.commitAcrossChannels) return "";
    const [first = "", ...others] = [...checks, ...writes].map(({ key }) => channelOf(key));
    const other = others.find((channel) => channel !== first);
    if (other === undefined) return first;
    const message =
      `one commit cannot touch the channels "${first}" and "${other}" in a Redis Cluster: they live on different nodes. ` +
      `A keyPrefix with a hash tag, "{shop}:", keeps all channels on one`;
    throw new ChannelError("NOT_SUPPORTED", message);
  }
}
