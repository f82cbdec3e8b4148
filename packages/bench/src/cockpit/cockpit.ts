import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { OpenStore } from "../stores.js";
import type { Answered, Folded, Order } from "./messages.js";
import type { Question } from "./questions.js";

/** The UI of one store, in a process of its own. */
export class Cockpit implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start({ options }: Pick<OpenStore, "options">): Promise<Cockpit> {
    const { type = "", args = {} } = options.chJobs ?? {};
    const path = fileURLToPath(new URL("cockpit.child.ts", import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, path, type, JSON.stringify(args)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const cockpit = new Cockpit(child);
    await cockpit.#message();
    return cockpit;
  }

  /** Folds the records from `from` to `to`. */
  fold(from: number, to: number): Promise<Folded> {
    return this.#send({ fold: { from, to } });
  }

  ask(question: Question, times: number): Promise<Answered> {
    return this.#send({ ask: question, times });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.disconnect();
    await exit;
  }

  async #send<T>(order: Order): Promise<T> {
    const answer = this.#message<T>();
    this.#child.send(order);
    return answer;
  }

  #message<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error("the process of the UI ended"));
      this.#child.once("exit", ended);
      this.#child.once("message", (message: T) => {
        this.#child.off("exit", ended);
        resolve(message);
      });
    });
  }
}
