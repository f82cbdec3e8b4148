import { ChannelError, type Clock, durationText } from "@ojm/core/backend";
import { backoff, letProcessEnd, type RedisClient } from "../connection/client.js";
import { explain } from "../errors.js";

/** A client that listens. */
export interface SubscriberClient extends RedisClient {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  psubscribe(pattern: string): Promise<unknown>;
  punsubscribe(pattern: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
}

/** A new client that does not reconnect. `isCurrent`: whether its server is still the one to listen to. */
export interface SubscriberConnection {
  readonly client: SubscriberClient;
  isCurrent(): boolean;
}

/** The subject of a subscription: the messages under one name, or under all names that a pattern matches. */
export interface Subject {
  readonly name: string;
  readonly pattern?: true;
}

/** Receives messages. The calls of one listener come one at a time. */
export interface Listener {
  /** `name` is the one under which the message was published. */
  message(text: string, name: string): void;
  /** Messages may have been missed. */
  gap(): void;
  fail(error: ChannelError): void;
}

export interface SubscriptionsOptions {
  open(): Promise<SubscriberConnection>;
  /** Whether to use the sharded channels of a Cluster. */
  readonly sharded: boolean;
  readonly where: string;
  readonly deadline: number;
  readonly clock: Clock;
}

interface Subscription {
  readonly subject: Subject;
  readonly listener: Listener;
  /** Called when the first subscription is confirmed, or when there will be none. */
  settle(error?: ChannelError): void;
  live: boolean;
}

/**
 * The messages of published changes, over one connection that is replaced whenever it breaks. Redis keeps
 * none for a client that is away, so every listener then gets a gap once it is subscribed again.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  /** By name. Only patterns end with an asterisk, before the suffix, so they cannot collide. */
  readonly #subscriptions: Map<string, Set<Subscription>> = new Map();
  /** The present connection, in any state. `#usable` is the same one, once it can be used. */
  #client: SubscriberClient | undefined;
  #usable: SubscriberClient | undefined;
  /** The last connection that was ended. */
  #ended: SubscriberClient | undefined;
  /** The requested subscriptions of the present connection. Each resolves when it is confirmed. */
  #subscribed: Map<string, Promise<unknown>> = new Map();
  #running = false;
  #closed = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /**
   * Subscribes a listener. Resolves once the listener receives every later message, to a function that ends
   * the subscription.
   *
   * @throws ChannelError `UNAVAILABLE` if the server did not confirm within the deadline, `DENIED` if it
   * refused
   */
  listen(subject: Subject, listener: Listener): Promise<() => void> {
    const { clock, deadline, where } = this.#options;
    return new Promise((resolve, reject) => {
      const leave = (): void => this.#leave(subscription);
      const late = `${where} confirmed no subscription within ${durationText(deadline)}`;
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
      const subscription: Subscription = { subject, listener, settle, live: false };
      const subscriptions = this.#subscriptions.get(subject.name) ?? new Set();
      this.#subscriptions.set(subject.name, subscriptions.add(subscription));
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
    const { name } = subscription.subject;
    const subscriptions = this.#subscriptions.get(name);
    if (!subscriptions?.delete(subscription) || subscriptions.size > 0) return;
    this.#subscriptions.delete(name);
    this.#subscribed.delete(name);
    const client = this.#usable;
    if (client === undefined) return;
    client[`${this.#kindOf(subscription.subject)}unsubscribe`](name).catch(() => {}); // a broken connection has none
  }

  /** The first letter of the commands for a subject. */
  #kindOf({ pattern }: Subject): "" | "p" | "s" {
    return pattern ? "p" : this.#options.sharded ? "s" : "";
  }

  #tell(subscribed: string, text: string, name: string): void {
    for (const subscription of this.#subscriptions.get(subscribed) ?? []) subscription.listener.message(text, name);
  }

  /** Keeps a connection open until `close()`, or until the server denies it. */
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

  /** Opens a connection and listens until it ends. Resolves to the error if it could not be opened. */
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
      const message = this.#options.sharded ? "smessage" : "message";
      client.on(message, (name: string, text: string) => this.#tell(name, text, name));
      client.on("pmessage", (pattern: string, name: string, text: string) => this.#tell(pattern, text, name));
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
   * Ends a connection, but only once: each time, ioredis adds a listener to the socket, and Node warns of
   * more than ten. All watches find a broken connection at the same time.
   */
  #end(client: SubscriberClient): void {
    if (this.#ended === client) return;
    this.#ended = client;
    client.disconnect();
  }

  async #attach(subscription: Subscription, client: SubscriberClient): Promise<void> {
    const { subject } = subscription;
    const asked = this.#subscribed.get(subject.name) ?? client[`${this.#kindOf(subject)}subscribe`](subject.name);
    this.#subscribed.set(subject.name, asked);
    try {
      await asked;
    } catch (error) {
      const explained = explain(error, this.#options.where, false);
      // The next connection may succeed: to the node that has the channel now, for example.
      if (explained.code !== "DENIED") return this.#end(client);
      this.#drop(subscription, explained);
      return;
    }
    if (this.#usable !== client || this.#subscriptions.get(subject.name)?.has(subscription) !== true) return;
    if (subscription.live) subscription.listener.gap();
    subscription.live = true;
    subscription.settle();
  }

  /**
   * Pings a connection now and then, because a silent one may be dead. ioredis closes it if no answer comes.
   * Ends it if its server is no longer the one to listen to.
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
