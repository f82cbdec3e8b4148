import { connect, type Socket } from "node:net";
import { ChannelError } from "@ojm/core/backend";
import { type Answer, type Question, receive, send } from "./messages.js";

/** The port of a host, and how long to wait for an answer, in ms. */
export interface Way {
  readonly port: number;
  readonly deadline: number;
}

/** `Omit`, applied to each member of a union. */
type Each<T> = T extends unknown ? Omit<T, "id"> : never;

type Waiting = { resolve(answer: unknown): void; readonly reject: (error: Error) => void };

/** One connection to a host. A lost connection stays lost. */
export class Connection {
  readonly #socket: Socket;
  readonly #waiting: Map<number, Waiting> = new Map();
  readonly #deadline: number;
  readonly #onChange: (watch: number, change: Extract<Answer, { change: unknown }>["change"]) => void;
  #last = 0;
  #lost = false;

  /** A call waits for at most `deadline` ms. */
  constructor(
    { port, deadline }: Way,
    onChange: (watch: number, change: Extract<Answer, { change: unknown }>["change"]) => void,
    onLost: () => void,
  ) {
    this.#deadline = deadline;
    this.#onChange = onChange;
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    // The timer of a call keeps the process alive until the answer. A watch alone must not.
    this.#socket.unref();
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#lost = true;
      for (const { reject } of [...this.#waiting.values()]) reject(new Error("the connection was lost"));
      onLost();
    });
    receive<Answer>(this.#socket, (answer) => this.#take(answer));
  }

  get lost(): boolean {
    return this.#lost;
  }

  #take(answer: Answer): void {
    if ("change" in answer) this.#onChange(answer.watch, answer.change);
    else this.#waiting.get(answer.id)?.resolve(answer.answer);
  }

  /** Sends a question and waits for the answer. Resolves to the answer and to the id of the question. */
  async ask(question: Each<Question>, outcome: "not-applied" | "unknown"): Promise<{ answer: unknown; id: number }> {
    const id = ++this.#last;
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        timer = setTimeout(() => reject(new Error(`no answer within ${this.#deadline} ms`)), this.#deadline);
        if (this.#lost) reject(new Error("the connection was lost"));
        else send(this.#socket, { ...question, id });
      });
      return { answer, id };
    } catch (cause) {
      throw new ChannelError("UNAVAILABLE", (cause as Error).message, { retryable: true, outcome, cause });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
