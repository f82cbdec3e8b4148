import { ChannelError, type Clock } from "@ojm/core/backend";
import { backoff, letProcessEnd, type RedisClient } from "../connection/client.js";
import { explain } from "../errors.js";

/** A connection that is there to listen. */
export interface SubscriberClient extends RedisClient {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
}

/**
 * A client that is not connected yet and does not connect again, and whether its server is still the one to
 * listen to.
 */
export interface SubscriberConnection {
  readonly client: SubscriberClient;
  isCurrent(): boolean;
}

/** Who listens. Of one listener, calls come one at a time. */
export interface Listener {
  message(text: string): void;
  /** Messages may have been missed. */
  gap(): void;
  fail(error: ChannelError): void;
}

export interface SubscriptionsOptions {
  /** Makes the next connection. */
  open(): Promise<SubscriberConnection>;
  /** Whether channels are those of a Cluster's shards. */
  readonly sharded: boolean;
  readonly where: string;
  readonly deadline: number;
  readonly clock: Clock;
}

interface Subscription {
  readonly channel: string;
  readonly listener: Listener;
  /** Called once, when the first subscription is confirmed or when there will be none. */
  settle(error?: ChannelError): void;
  live: boolean;
}

/**
 * The messages of published changes, over one connection that is made anew whenever it breaks. Redis keeps no
 * message for those who are away: after each break everybody who listens is told of a gap, once the new
 * subscription is confirmed.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #subscriptions: Map<string, Set<Subscription>> = new Map();
  /** The present connection, in whatever state, and once it can be used. */
  #client: SubscriberClient | undefined;
  #usable: SubscriberClient | undefined;
  /** The last one that was ended. */
  #ended: SubscriberClient | undefined;
  /** Of the present connection: the subscriptions asked for, which resolve when confirmed. */
  #subscribed: Map<string, Promise<unknown>> = new Map();
  #running = false;
  #closed = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /**
   * Resolves once every later message is told. The result ends it.
   *
   * @throws ChannelError `UNAVAILABLE` if the server did not confirm within the deadline, `DENIED` if it
   * refused
   */
  listen(channel: string, listener: Listener): Promise<() => void> {
    const { clock, deadline, where } = this.#options;
    return new Promise((resolve, reject) => {
      const leave = (): void => this.#leave(subscription);
      const late = `${where} confirmed no subscription within ${deadline} ms`;
      const giveUp = (): void => subscription.settle(new ChannelError("UNAVAILABLE", late, { retryable: true }));
      const cancel = clock.after(deadline, giveUp, true);
      const settle = (error?: ChannelError): void => {
        cancel();
        if (error === undefined) {
          resolve(leave);
          return;
        }
        leave();
        reject(error);
      };
      const subscription: Subscription = { channel, listener, settle, live: false };
      const subscriptions = this.#subscriptions.get(channel) ?? new Set();
      this.#subscriptions.set(channel, subscriptions.add(subscription));
      if (this.#usable !== undefined) void this.#attach(subscription, this.#usable);
      if (!this.#running) void this.#run();
    });
  }

  close(): void {
    this.#closed = true;
    for (const subscription of this.#all())
      if (!subscription.live) subscription.settle(new ChannelError("CLOSED", "the channel was closed"));
    this.#subscriptions.clear();
    if (this.#client !== undefined) this.#end(this.#client);
  }

  *#all(): Generator<Subscription> {
    for (const subscriptions of [...this.#subscriptions.values()]) yield* [...subscriptions];
  }

  #leave(subscription: Subscription): void {
    const { channel } = subscription;
    const subscriptions = this.#subscriptions.get(channel);
    if (!subscriptions?.delete(subscription) || subscriptions.size > 0) return;
    this.#subscriptions.delete(channel);
    this.#subscribed.delete(channel);
    const client = this.#usable;
    if (client === undefined) return;
    const left = this.#options.sharded ? client.sunsubscribe(channel) : client.unsubscribe(channel);
    left.catch(() => {}); // a broken connection has no subscriptions
  }

  /** Keeps a connection for as long as this is open. */
  async #run(): Promise<void> {
    this.#running = true;
    for (let attempt = 1; !this.#closed; attempt++) {
      const error = await this.#listenUntilLost(() => {
        attempt = 0;
      });
      if (error?.code === "DENIED") break;
      await new Promise<void>((resolve) => this.#options.clock.after(backoff(attempt), resolve));
    }
    this.#running = false;
  }

  /** One connection, from connecting to its end. The result is why it could not be had, if so. */
  async #listenUntilLost(onOpen: () => void): Promise<ChannelError | undefined> {
    const { open, clock, deadline, where } = this.#options;
    let trouble: unknown;
    let cancel = (): void => {};
    try {
      const connection = await open();
      const { client } = connection;
      this.#client = client;
      letProcessEnd(client);
      const lost = new Promise<void>((resolve) => client.once("end", resolve));
      client.on("error", (error: Error) => {
        trouble = error;
      });
      client.on("moved", () => this.#end(client));
      client.on(this.#options.sharded ? "smessage" : "message", (channel: string, text: string) => {
        for (const subscription of this.#subscriptions.get(channel) ?? []) subscription.listener.message(text);
      });
      cancel = clock.after(deadline, () => this.#end(client));
      await client.connect();
      cancel();
      if (this.#closed) return undefined;
      this.#usable = client;
      this.#subscribed = new Map();
      onOpen();
      for (const subscription of this.#all()) void this.#attach(subscription, client);
      cancel = this.#watchOver(connection);
      await lost;
      return undefined;
    } catch (error) {
      const explained = explain(trouble ?? error, where, false);
      if (explained.code === "DENIED") this.#fail(explained);
      return explained;
    } finally {
      this.#usable = undefined;
      cancel();
      if (this.#client !== undefined) this.#end(this.#client);
      this.#client = undefined;
    }
  }

  /**
   * Once: each time, ioredis puts a listener on the socket, and Node warns of more than ten. All watches find
   * a broken connection at once.
   */
  #end(client: SubscriberClient): void {
    if (this.#ended === client) return;
    this.#ended = client;
    client.disconnect();
  }

  async #attach(subscription: Subscription, client: SubscriberClient): Promise<void> {
    const { channel } = subscription;
    const sharded = this.#options.sharded;
    const asked = this.#subscribed.get(channel) ?? (sharded ? client.ssubscribe(channel) : client.subscribe(channel));
    this.#subscribed.set(channel, asked);
    try {
      await asked;
    } catch (error) {
      const explained = explain(error, this.#options.where, false);
      // Not on this connection, but maybe on the next one: of a node that has the channel now, say.
      if (explained.code !== "DENIED") return this.#end(client);
      this.#drop(subscription, explained);
      return;
    }
    if (this.#usable !== client || this.#subscriptions.get(channel)?.has(subscription) !== true) return;
    if (subscription.live) subscription.listener.gap();
    subscription.live = true;
    subscription.settle();
  }

  /**
   * A connection that hears nothing may be dead: something has to be asked now and then. ioredis closes it if
   * no answer comes.
   */
  #watchOver(connection: SubscriberConnection): () => void {
    const { clock, deadline } = this.#options;
    const look = (): void => {
      cancel = clock.after(deadline, look);
      if (connection.isCurrent()) connection.client.call("ping").catch(() => {});
      else this.#end(connection.client);
    };
    let cancel = clock.after(deadline, look);
    return () => cancel();
  }

  #fail(error: ChannelError): void {
    for (const subscription of this.#all()) this.#drop(subscription, error);
  }

  #drop(subscription: Subscription, error: ChannelError): void {
    this.#leave(subscription);
    if (subscription.live) subscription.listener.fail(error);
    else subscription.settle(error);
  }
}
