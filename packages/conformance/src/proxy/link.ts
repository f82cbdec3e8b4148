import { connect, type Socket } from "node:net";
import type { RequestCounter } from "./counters.js";

/** What the network does to a connection now. */
export interface Weather {
  readonly partitioned: boolean;
  readonly deaf: boolean;
  /** In ms. */
  readonly delay: number;
}

/** A connection of a client through the proxy to the server. */
export class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #weather: () => Weather;
  /** What is held back by a partition, in order. */
  #held: (() => void)[] = [];
  #lostBytes = false;
  #requests = 0;

  constructor(
    client: Socket,
    target: { readonly host: string; readonly port: number },
    weather: () => Weather,
    counter: RequestCounter,
    onClosed: () => void,
  ) {
    this.#client = client;
    this.#server = connect(target);
    this.#weather = weather;
    client.setNoDelay(true);
    this.#server.setNoDelay(true);
    client.on("data", (chunk: Buffer) => {
      this.#requests += counter.sent(chunk);
      this.#pass(() => this.#server.write(chunk));
    });
    this.#server.on("data", (chunk: Buffer) => {
      counter.answered();
      if (this.#weather().deaf) this.#lostBytes = true;
      else this.#pass(() => client.write(chunk));
    });
    // Nobody can tell through a partition that the other side has gone.
    client.on("close", () => this.#pass(() => this.#server.end()));
    this.#server.on("close", () => this.#pass(() => client.destroy()));
    for (const socket of [client, this.#server]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        if (client.destroyed && this.#server.destroyed) onClosed();
      });
    }
  }

  /** How many requests passed, or tried to. */
  get requests(): number {
    return this.#requests;
  }

  #pass(deliver: () => void): void {
    const { partitioned, delay } = this.#weather();
    // What is sent later must not overtake what is held.
    if (partitioned || this.#held.length > 0) this.#held.push(deliver);
    else if (delay > 0) setTimeout(deliver, delay);
    else deliver();
  }

  /** The weather cleared up: what was held goes on, as TCP would send it again; what was lost breaks the connection. */
  clear(): void {
    const held = this.#held;
    this.#held = [];
    if (this.#lostBytes) this.cut();
    for (const deliver of held) deliver();
  }

  /** Breaks the connection, for both sides to see. */
  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}
