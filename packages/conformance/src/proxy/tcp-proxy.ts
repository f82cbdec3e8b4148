import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import type { Faults, Heal } from "../harness/harness.js";
import { bursts, type RequestCounter } from "./counters.js";
import { Link, type Weather } from "./link.js";

/** The server behind a proxy, and how the proxy counts requests. */
export interface ProxyOptions {
  readonly host?: string;
  readonly port: number;
  /** Counts the requests of a connection. Default: {@link bursts}. */
  readonly counter?: () => RequestCounter;
}

/**
 * A proxy in front of a server, which can cause network faults. Clients connect to {@link TcpProxy.port}
 * instead of the port of the server.
 *
 * @example
 * const proxy = await TcpProxy.start({ port: 6379 });
 * const { partition, dropReplies, delay } = proxy;
 * const client = () => open(`redis://127.0.0.1:${proxy.port}`);
 * return { client, faults: { partition, dropReplies, delay }, roundTrips: () => proxy.roundTrips, … };
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #links: Set<Link> = new Set();
  #weather: Weather = { partitioned: false, deaf: false, delay: 0 };
  #closedRequests = 0;

  private constructor(server: Server, { host = "127.0.0.1", port, counter = bursts }: ProxyOptions) {
    this.#server = server;
    server.on("connection", (client) => {
      const link = new Link(
        client,
        { host, port },
        () => this.#weather,
        counter(),
        () => this.#forget(link),
      );
      this.#links.add(link);
    });
  }

  /** Starts a proxy on a free port of 127.0.0.1. */
  static async start(options: ProxyOptions): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, options);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The number of requests that clients have sent so far. */
  get roundTrips(): number {
    let sum = this.#closedRequests;
    for (const link of this.#links) sum += link.requests;
    return sum;
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#links.size;
  }

  #forget(link: Link): void {
    this.#closedRequests += link.requests;
    this.#links.delete(link);
  }

  readonly partition: NonNullable<Faults["partition"]> = async () => {
    this.#weather = { ...this.#weather, partitioned: true };
    return this.#heal({ partitioned: false });
  };

  readonly dropReplies: NonNullable<Faults["dropReplies"]> = async () => {
    this.#weather = { ...this.#weather, deaf: true };
    return this.#heal({ deaf: false });
  };

  readonly delay: NonNullable<Faults["delay"]> = async (ms) => {
    this.#weather = { ...this.#weather, delay: ms };
    return this.#heal({ delay: 0 });
  };

  #heal(change: Partial<Weather>): Heal {
    return async () => {
      this.#weather = { ...this.#weather, ...change };
      for (const link of [...this.#links]) link.clear();
    };
  }

  /** Breaks all connections on both sides. */
  cut(): void {
    for (const link of this.#links) link.cut();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }
}
