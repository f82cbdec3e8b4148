import {
  type Backend,
  type CallOptions,
  ChannelError,
  type Commit,
  type CommitOutcome,
  type KeyRange,
  type ScanPage,
  type ScanRequest,
  type StoredEntry,
  type Supports,
  type WatchSink,
} from "@ojm/core/backend";
import type { RedisClient } from "./connection/client.js";
import type { Connection } from "./connection/connection.js";
import type { Replicas } from "./connection/replicas.js";
import { isNoScript, ofRead } from "./errors.js";
import type { Names } from "./layout.js";
import { placeOf } from "./layout.js";
import { commitScript, readScript, type Script, scanScript } from "./scripts.js";
import { type LexRange, lexRangeOf, rangeOf } from "./watch/ranges.js";
import type { Watches } from "./watch/watches.js";

/** The most keys that one script reads. */
const BATCH = 1_000;

type Reply = string | number | null;

export interface RedisBackendOptions {
  readonly connection: Connection;
  readonly watches: Watches;
  readonly names: Names;
  readonly supports: Supports;
  /** `SPUBLISH` in a Cluster. */
  readonly publish: "PUBLISH" | "SPUBLISH";
  /** Present if writes wait for replicas. */
  readonly replicas: Replicas | undefined;
}

/**
 * Channels in Redis or Valkey: one server or several. Each call is one script in the server, and one round
 * trip.
 */
export class RedisBackend implements Backend {
  readonly supports: Supports;
  readonly #options: RedisBackendOptions;
  readonly #connection: Connection;
  readonly #names: Names;

  constructor(options: RedisBackendOptions) {
    this.supports = options.supports;
    this.#options = options;
    this.#connection = options.connection;
    this.#names = options.names;
  }

  async read(keys: readonly string[], { signal }: CallOptions = {}): Promise<(StoredEntry | undefined)[]> {
    const found = new Map<string, StoredEntry>();
    const readBatch = async (batch: readonly string[]): Promise<void> => {
      const entries = batch.map((key) => this.#names.entry(placeOf(key)));
      const reply = await this.#look(readScript, entries, [], signal);
      batch.forEach((key, i) => {
        const entry = entryAt(reply as Reply[], i * 3, key);
        if (entry !== undefined) found.set(key, entry);
      });
    };
    await Promise.all(this.#batches(keys).map(readBatch));
    return keys.map((key) => found.get(key));
  }

  async scan(request: ScanRequest, { signal }: CallOptions = {}): Promise<ScanPage> {
    const { channel, from, to } = lexRangeOf(request);
    const { reverse, limit, values } = request;
    let range: Pick<LexRange, "from" | "to"> = { from, to };
    for (;;) {
      const args = [range.from, range.to, reverse ? "reverse" : "", String(limit), values ? "values" : ""];
      const reply = (await this.#look(scanScript, [this.#names.index(channel)], args, signal)) as Reply[];
      const goOn = String(reply[0]);
      const entries: StoredEntry[] = [];
      for (let at = 1; at < reply.length; at += 4) {
        const entry = entryAt(reply, at + 1, `${channel} ${reply[at]}`, values);
        if (entry !== undefined) entries.push(entry);
      }
      // Do not return an empty page before the end: it looks like the end, and has no key to continue from.
      // The keys of expired entries can leave a page empty.
      if (entries.length > 0 || goOn === "") return { entries, more: goOn !== "" };
      range = reverse ? { from: range.from, to: goOn } : { from: goOn, to: range.to };
    }
  }

  async commit({ checks, writes }: Commit, { signal }: CallOptions = {}): Promise<CommitOutcome> {
    const keys: string[] = [""];
    const args: string[] = [String(checks.length), "", this.#options.publish, this.#names.database, ""];
    let puts = 0;
    let only: string | undefined;
    for (const { key, version } of checks) {
      const place = placeOf(key);
      only = this.#sameNode(only, place.channel);
      keys.push(this.#names.entry(place));
      // The script takes "" for absence. A caller's "" is no version, and must not stand for absence.
      args.push(version === null ? "" : version || "none");
    }
    for (const { key, value, ttl } of writes) {
      const place = placeOf(key);
      only = this.#sameNode(only, place.channel);
      keys.push(this.#names.entry(place), this.#names.index(place.channel));
      if (value !== null) puts++;
      args.push(value === null ? "delete" : ttl === undefined ? "" : String(ttl), value ?? "");
    }
    keys[0] = this.#names.version(only ?? "");
    args[1] = String(puts);
    const replicas = writes.length > 0 ? this.#options.replicas : undefined;
    args[4] = String(replicas?.count ?? 0);
    const reply = await this.#run(commitScript, keys, args, signal, replicas);
    if (typeof reply !== "string") {
      return { ok: false, current: checks.map(({ key }, i) => entryAt(reply as Reply[], i * 3, key)) };
    }
    return { ok: true, version: reply };
  }

  watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    return this.#options.watches.watch(rangeOf(range), sink);
  }

  async close(): Promise<void> {
    this.#options.watches.close();
    await this.#connection.close();
  }

  /** Runs a script that only reads. */
  async #look(script: Script, keys: string[], args: string[], signal?: AbortSignal): Promise<unknown> {
    try {
      return await this.#run(script, keys, args, signal);
    } catch (error) {
      throw ofRead(error);
    }
  }

  /**
   * Runs a script by its hash. If the server does not know it (yet, or after SCRIPT FLUSH or a restart), runs
   * it by its text.
   */
  #run(
    script: Script,
    keys: string[],
    args: string[],
    signal?: AbortSignal,
    replicas?: Replicas | undefined,
  ): Promise<unknown> {
    const evaluate = async (client: RedisClient): Promise<unknown> => {
      try {
        return await client.evalsha(script.sha, keys.length, ...keys, ...args);
      } catch (error) {
        if (!isNoScript(error)) throw error;
        return client.eval(script.source, keys.length, ...keys, ...args);
      }
    };
    const send = async (client: RedisClient): Promise<unknown> => {
      const reply = await evaluate(client);
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
      const node = this.supports.commitAcrossChannels ? "" : placeOf(key).channel;
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

  #sameNode(known: string | undefined, channel: string): string {
    if (this.supports.commitAcrossChannels || known === undefined || known === channel) return channel;
    const message =
      `one commit cannot touch the channels "${known}" and "${channel}" in a Redis Cluster: they live on different nodes. ` +
      `A keyPrefix with a hash tag, "{shop}:", keeps all channels on one`;
    throw new ChannelError("NOT_SUPPORTED", message);
  }
}

/**
 * Decodes version, value and remaining microseconds, as the scripts return them. An entry that another
 * program wrote is visible only by its key, with a version that no entry has. Its value cannot be read.
 *
 * @throws ChannelError `CORRUPT` for the value of such an entry
 */
function entryAt(reply: readonly Reply[], at: number, key: string, values: boolean = true): StoredEntry | undefined {
  const version = reply[at];
  const value = reply[at + 1];
  const left = reply[at + 2];
  if (version === "?") {
    if (values) throw new ChannelError("CORRUPT", `the entry ${key} was not written by ojm`);
    return { key, value: "", version: "0" };
  }
  if (typeof version !== "string" || typeof value !== "string") return undefined;
  return typeof left === "number" ? { key, value, version, expiresIn: left / 1_000 } : { key, value, version };
}
