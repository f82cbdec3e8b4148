import { connect, type Socket } from "node:net";
import type { RequestCounter } from "./counters.js";

/** The present faults of the network. */
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
   * Data that was sent but not delivered, in order. No chunk overtakes an earlier one, even if the delay
   * changes in between.
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
    // Closing waits in the same order: during a partition, neither side can notice that the other one closed.
    client.on("close", () => this.#pass(() => this.#server.end()));
    this.#server.on("close", () => this.#pass(() => client.destroy()));
    for (const socket of [client, this.#server]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        if (client.destroyed && this.#server.destroyed) onClosed();
      });
    }
  }

  /** The number of requests that the client sent, delivered or not. */
  get requests(): number {
    return this.#requests;
  }

  #pass(deliver: () => void): void {
    this.#underWay.push({ due: performance.now() + this.#weather().delay, deliver });
    this.#deliver();
  }

  /** Delivers what is due, unless there is a partition. */
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
   * Call it when a fault ends. Delivers held data, as TCP would send it again. Breaks the connection if data
   * was lost.
   */
  clear(): void {
    if (this.#lostBytes) this.cut();
    this.#deliver();
  }

  /** Breaks the connection on both sides. */
  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}
