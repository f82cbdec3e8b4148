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
  /**
   * What is under way, in order: whatever the weather was when it was sent, nothing overtakes what was sent
   * before.
   */
  readonly #underWay: { readonly due: number; readonly deliver: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
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
    this.#underWay.push({ due: performance.now() + this.#weather().delay, deliver });
    this.#deliver();
  }

  /** Delivers what is due, as far as the weather allows. */
  #deliver(): void {
    clearTimeout(this.#timer);
    for (;;) {
      const [next] = this.#underWay;
      if (next === undefined || this.#weather().partitioned) return;
      const left = next.due - performance.now();
      if (left > 0) {
        this.#timer = setTimeout(() => this.#deliver(), Math.ceil(left));
        return;
      }
      this.#underWay.shift();
      next.deliver();
    }
  }

  /**
   * The weather cleared up: what was held goes on, as TCP would send it again; what was lost breaks the
   * connection.
   */
  clear(): void {
    if (this.#lostBytes) this.cut();
    this.#deliver();
  }

  /** Breaks the connection, for both sides to see. */
  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}
