import { once } from "node:events";
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";
import type { CommitOutcome, StoredEntry } from "@ojm/core/backend";
import type { Server } from "../server.js";
import { type Answer, type Question, receive, send } from "./messages.js";

/** Serves a simulated server on a port, to real sockets and other processes. */
export class Host {
  readonly #store: Server;
  readonly #sockets: Set<Socket> = new Set();
  #net: NetServer = createServer();
  #port = 0;

  constructor(store: Server) {
    this.#store = store;
  }

  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    this.#net = createServer((socket) => this.#serve(socket));
    this.#net.listen(this.#port, "127.0.0.1");
    await once(this.#net, "listening");
    this.#port = (this.#net.address() as AddressInfo).port;
  }

  #serve(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on("error", () => {});
    const stops: (() => void)[] = [];
    this.#sockets.add(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      for (const stop of stops) stop();
    });
    receive<Question>(socket, (question) => {
      if ("watch" in question) {
        const tell = (change: Extract<Answer, { change: unknown }>["change"]): void =>
          send<Answer>(socket, { watch: question.id, change });
        stops.push(this.#store.subscribe({ range: question.watch, tell }));
      }
      send<Answer>(socket, { id: question.id, answer: this.#answer(question) });
    });
  }

  #answer(question: Question): Extract<Answer, { id: number }>["answer"] {
    // JSON has no `undefined`: in a list it comes back as null.
    if ("read" in question) return this.#store.read(question.read).map(orNull);
    if ("scan" in question) return this.#store.scan(question.scan);
    if ("watch" in question) return "watching";
    const outcome = this.#store.commit(question.commit);
    return outcome.ok ? outcome : ({ ok: false, current: outcome.current.map(orNull) } as unknown as CommitOutcome);
  }

  async close(): Promise<void> {
    const closed = once(this.#net, "close");
    this.#net.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  readonly restart = async (): Promise<void> => {
    await this.close();
    this.#store.restart();
    await this.listen();
  };
}

function orNull(entry: StoredEntry | undefined): StoredEntry | null {
  return entry ?? null;
}
