import { ChannelError, type Clock } from "@ojm/core/backend";
import { backoff, letProcessEnd, type RedisClient } from "./client.js";
import { explain } from "./errors.js";

/** A connection that is there to listen. */
export interface LineClient extends RedisClient {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
}

/** A client that is not connected yet and does not connect again, and whether its server is still the one to listen to. */
export interface Line {
  readonly client: LineClient;
  isCurrent(): boolean;
}

/** Who listens. Of one listener, calls come one at a time. */
export interface Listener {
  message(text: string): void;
  /** Messages may have been missed. */
  gap(): void;
  fail(error: ChannelError): void;
}

export interface FeedOptions {
  /** Makes the next connection. */
  open(): Promise<Line>;
  /** Whether channels are those of a Cluster's shards. */
  readonly sharded: boolean;
  readonly where: string;
  readonly deadline: number;
  readonly clock: Clock;
}

interface Seat {
  readonly channel: string;
  readonly listener: Listener;
  /** Called once, when the first subscription is confirmed or when there will be none. */
  settle(error?: ChannelError): void;
  live: boolean;
}

/**
 * The messages of published changes, over one connection that is made anew whenever it breaks. Redis keeps no message for those who are
 * away: after each break everybody who listens is told of a gap, once the new subscription is confirmed.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #seats: Map<string, Set<Seat>> = new Map();
  /** The present connection, in whatever state, and once it can be used. */
  #client: LineClient | undefined;
  #line: LineClient | undefined;
  /** The last one that was ended. */
  #ended: LineClient | undefined;
  /** Of the present line: the subscriptions asked for, which resolve when confirmed. */
  #subscribed: Map<string, Promise<unknown>> = new Map();
  #running = false;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /**
   * Resolves once every later message is told. The result ends it.
   *
   * @throws ChannelError `UNAVAILABLE` if the server did not confirm within the deadline, `DENIED` if it refused
   */
  listen(channel: string, listener: Listener): Promise<() => void> {
    const { clock, deadline, where } = this.#options;
    return new Promise((resolve, reject) => {
      const leave = (): void => this.#leave(seat);
      const late = `${where} confirmed no subscription within ${deadline} ms`;
      const giveUp = (): void => seat.settle(new ChannelError("UNAVAILABLE", late, { retryable: true }));
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
      const seat: Seat = { channel, listener, settle, live: false };
      const seats = this.#seats.get(channel) ?? new Set();
      this.#seats.set(channel, seats.add(seat));
      if (this.#line !== undefined) void this.#attach(seat, this.#line);
      if (!this.#running) void this.#run();
    });
  }

  close(): void {
    this.#closed = true;
    for (const seat of this.#all()) if (!seat.live) seat.settle(new ChannelError("CLOSED", "the channel was closed"));
    this.#seats.clear();
    if (this.#client !== undefined) this.#end(this.#client);
  }

  *#all(): Generator<Seat> {
    for (const seats of [...this.#seats.values()]) yield* [...seats];
  }

  #leave(seat: Seat): void {
    const { channel } = seat;
    const seats = this.#seats.get(channel);
    if (!seats?.delete(seat) || seats.size > 0) return;
    this.#seats.delete(channel);
    this.#subscribed.delete(channel);
    const line = this.#line;
    if (line === undefined) return;
    const left = this.#options.sharded ? line.sunsubscribe(channel) : line.unsubscribe(channel);
    left.catch(() => {}); // a broken line has no subscriptions
  }

  /** Keeps a line for as long as this feed is open. */
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

  /** One line, from connecting to its end. The result is why it could not be had, if so. */
  async #listenUntilLost(onOpen: () => void): Promise<ChannelError | undefined> {
    const { open, clock, deadline, where } = this.#options;
    let trouble: unknown;
    let cancel = (): void => {};
    try {
      const line = await open();
      const { client } = line;
      this.#client = client;
      letProcessEnd(client);
      const lost = new Promise<void>((resolve) => client.once("end", resolve));
      client.on("error", (error: Error) => {
        trouble = error;
      });
      client.on("moved", () => this.#end(client));
      client.on(this.#options.sharded ? "smessage" : "message", (channel: string, text: string) => {
        for (const seat of this.#seats.get(channel) ?? []) seat.listener.message(text);
      });
      cancel = clock.after(deadline, () => this.#end(client));
      await client.connect();
      cancel();
      if (this.#closed) return undefined;
      this.#line = client;
      this.#subscribed = new Map();
      onOpen();
      for (const seat of this.#all()) void this.#attach(seat, client);
      cancel = this.#watchOver(line);
      await lost;
      return undefined;
    } catch (error) {
      const explained = explain(trouble ?? error, where, false);
      if (explained.code === "DENIED") this.#fail(explained);
      return explained;
    } finally {
      this.#line = undefined;
      cancel();
      if (this.#client !== undefined) this.#end(this.#client);
      this.#client = undefined;
    }
  }

  /** Once: each time, ioredis puts a listener on the socket, and Node warns of more than ten. All watches find a broken line at once. */
  #end(client: LineClient): void {
    if (this.#ended === client) return;
    this.#ended = client;
    client.disconnect();
  }

  async #attach(seat: Seat, line: LineClient): Promise<void> {
    const { channel } = seat;
    const sharded = this.#options.sharded;
    const asked = this.#subscribed.get(channel) ?? (sharded ? line.ssubscribe(channel) : line.subscribe(channel));
    this.#subscribed.set(channel, asked);
    try {
      await asked;
    } catch (error) {
      const explained = explain(error, this.#options.where, false);
      // Not on this line, but maybe on the next one: of a node that has the channel now, say.
      if (explained.code !== "DENIED") return this.#end(line);
      this.#drop(seat, explained);
      return;
    }
    if (this.#line !== line || this.#seats.get(channel)?.has(seat) !== true) return;
    if (seat.live) seat.listener.gap();
    seat.live = true;
    seat.settle();
  }

  /** A line that hears nothing may be dead: something has to be asked now and then. ioredis closes it if no answer comes. */
  #watchOver(line: Line): () => void {
    const { clock, deadline } = this.#options;
    const look = (): void => {
      cancel = clock.after(deadline, look);
      if (line.isCurrent()) line.client.call("ping").catch(() => {});
      else this.#end(line.client);
    };
    let cancel = clock.after(deadline, look);
    return () => cancel();
  }

  #fail(error: ChannelError): void {
    for (const seat of this.#all()) this.#drop(seat, error);
  }

  #drop(seat: Seat, error: ChannelError): void {
    this.#leave(seat);
    if (seat.live) seat.listener.fail(error);
    else seat.settle(error);
  }
}
