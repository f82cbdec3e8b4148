import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answer, Cost, Load, Order, Spec } from "./contestant.js";

const SCRIPT = new URL("./contestant.child.ts", import.meta.url);

/** A contestant in its process, as the benchmark sees it. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;

  private constructor(name: string, process: ChildProcess) {
    this.name = name;
    this.#process = process;
  }

  /** Starts it. Resolves once it has opened its store. */
  static async start(spec: Spec, script: URL = SCRIPT): Promise<Child> {
    const args = [...process.execArgv, fileURLToPath(script), JSON.stringify(spec)];
    const child = new Child(
      spec.name,
      spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] }),
    );
    await child.#answer();
    return child;
  }

  async warmUp(load: Load, count: number): Promise<void> {
    await this.#order({ do: "warm-up", load, count });
  }

  async measure(load: Load, count: number): Promise<Cost> {
    return (await this.#order({ do: "measure", load, count })) as Cost;
  }

  /** Bytes of a run. */
  async allocation(load: Load, count: number): Promise<number> {
    return (await this.#order({ do: "allocation", load, count })) as number;
  }

  /** Rejects unless the store has the facts that the work should have left. */
  async proveFacts(): Promise<void> {
    await this.#order({ do: "prove" });
  }

  async close(): Promise<void> {
    await this.#order({ do: "close" });
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  #order(order: Order): Promise<Cost | number | undefined> {
    this.#process.send(order);
    return this.#answer();
  }

  #answer(): Promise<Cost | number | undefined> {
    return new Promise((resolve, reject) => {
      const onMessage = (answer: Answer): void => {
        this.#process.off("exit", onExit);
        if ("error" in answer) reject(new Error(`${this.name}: ${answer.error}`));
        else resolve(answer.value);
      };
      const onExit = (): void => {
        this.#process.off("message", onMessage);
        reject(new Error(`the process of ${this.name} ended`));
      };
      this.#process.once("message", onMessage);
      this.#process.once("exit", onExit);
    });
  }
}
