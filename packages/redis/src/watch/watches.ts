import { type Clock, isChannelError, type StoredChange, type WatchSink } from "@ojm/core/backend";
import { isCluster, type NodeClient, type RedisClient } from "../connection/client.js";
import type { Connection } from "../connection/connection.js";
import type { Names } from "../layout.js";
import type { ChannelRange } from "./ranges.js";
import { type Subject, type SubscriberClient, type SubscriberConnection, Subscriptions } from "./subscriptions.js";

/** A connection that listens ends when it breaks: after a reconnection, nothing would report the gap. */
const LISTENING = { retryStrategy: null, lazyConnect: true, enableOfflineQueue: false, autoResubscribe: false };

export interface WatchesOptions {
  readonly connection: Connection;
  readonly names: Names;
  readonly where: string;
  readonly deadline: number;
  readonly clock: Clock;
}

/**
 * All watches of a backend. With one server, they share one connection. In a Cluster, each channel has its
 * own connection, to the master of its slot. Messages that are passed on between nodes may get lost
 * unnoticed. Messages from the master itself get lost only if the connection breaks, which is noticed.
 *
 * A watch of one key listens to that key alone, under the name of its entry. If many processes each wait for
 * a key of their own, a commit wakes only the one whose key it wrote.
 *
 * A watch of all keys with one first part listens to a pattern of such names. Otherwise fifty schedulers that
 * watch definitions would each receive every tick that any of them decides on. The server compares each
 * message with each different pattern, so longer prefixes, of which there may be thousands, have none.
 */
export class Watches {
  readonly #options: WatchesOptions;
  readonly #subscriptions: Map<string, Subscriptions> = new Map();
  /** Whether patterns can be used. A Cluster does not support them for sharded messages. */
  #patterns: boolean;
  /** The last message: it comes to all watches that listen to its name, one after the other. */
  #last: { readonly text: string; readonly channel: string; readonly change: StoredChange | undefined } | undefined;

  constructor(options: WatchesOptions) {
    this.#options = options;
    this.#patterns = !isCluster(options.connection.client);
  }

  /** See `Backend.watch`. */
  async watch(range: ChannelRange, sink: WatchSink): Promise<() => void> {
    const { names } = this.#options;
    const { channel, firstPart, only } = range;
    if (firstPart !== undefined && this.#patterns) {
      const pattern = { name: names.entriesPattern(`${channel} ${firstPart}`), pattern: true } as const;
      try {
        return await this.#listen(pattern, range, sink);
      } catch (error) {
        if (!isChannelError(error) || error.code !== "DENIED") throw error;
        // An ACL permits a pattern only by itself: `&ojm:*` permits all our names, but no pattern.
        this.#patterns = false;
      }
    }
    const name = (only === undefined ? names.index(channel) : names.entry(only)) + names.suffix;
    return this.#listen({ name }, range, sink);
  }

  async #listen(subject: Subject, range: ChannelRange, sink: WatchSink): Promise<() => void> {
    const { names } = this.#options;
    let over = false;
    const message = (text: string, name: string): void => {
      const change = this.#parse(text, range.channel);
      if (over || change === undefined || !range.contains(change.key)) return;
      // The pattern of database 0 and layout 1 matches the names of the others too.
      if (subject.pattern && name !== names.entry(change.key) + names.suffix) return;
      sink.change(change);
    };
    const gap = (): void => {
      if (!over) sink.gap();
    };
    const fail = (error: Error): void => {
      if (!over) sink.fail(error);
    };
    const home = names.index(range.channel);
    const leave = await this.#subscriptionsOf(home).listen(subject, { message, gap, fail });
    return () => {
      over = true;
      leave();
    };
  }

  #parse(text: string, channel: string): StoredChange | undefined {
    const last = this.#last;
    if (last?.text === text && last.channel === channel) return last.change;
    const change = parse(text, channel);
    this.#last = { text, channel, change };
    return change;
  }

  close(): void {
    for (const each of this.#subscriptions.values()) each.close();
  }

  /** @param name a name in the slot that holds the whole channel */
  #subscriptionsOf(name: string): Subscriptions {
    const { connection, where, deadline, clock } = this.#options;
    const sharded = isCluster(connection.client);
    const id = sharded ? name : "";
    let subscriptions = this.#subscriptions.get(id);
    if (subscriptions === undefined) {
      const open = (): Promise<SubscriberConnection> => openConnection(connection, name);
      subscriptions = new Subscriptions({ open, sharded, where, deadline, clock });
      this.#subscriptions.set(id, subscriptions);
    }
    return subscriptions;
  }
}

async function openConnection(connection: Connection, name: string): Promise<SubscriberConnection> {
  const { client } = connection;
  if (!isCluster(client)) {
    const { moves } = connection;
    return {
      client: (client as NodeClient).duplicate(LISTENING) as RedisClient as SubscriberClient,
      isCurrent: () => connection.moves === moves,
    };
  }
  const slot = Number(await connection.call((cluster) => cluster.call("cluster", "KEYSLOT", name)));
  const master = (): string | undefined => client.slots[slot]?.[0];
  const address = master();
  const node = client.nodes("master").find(({ options }) => `${options.host}:${options.port}` === address);
  // Refresh the slots: if this node fails, the next attempt must find the node that serves the slot then.
  client.refreshSlotsCache();
  if (node === undefined) throw new Error(`no node serves slot ${slot}`);
  return {
    client: node.duplicate(LISTENING) as RedisClient as SubscriberClient,
    isCurrent: () => master() === address,
  };
}

/** Parses `TTL KEY NUL VERSION DEADLINE VALUE` (TTL may be empty) or `delete KEY NUL VERSION`. */
function parse(text: string, channel: string): StoredChange | undefined {
  const [, mode = "", member, version, value] = /^(\S*) ([^\0]*)\0(\d+)(?: \S+ (.*))?$/s.exec(text) ?? [];
  // Ignore the message: any client may publish anything.
  if (member === undefined || version === undefined) return undefined;
  const key = `${channel} ${member}`;
  if (mode === "delete") return { key, value: null, version };
  if (value === undefined) return undefined;
  return mode === "" ? { key, value, version } : { key, value, version, expiresIn: Number(mode) };
}
