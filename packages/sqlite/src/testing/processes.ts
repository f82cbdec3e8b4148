import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { programArgs } from "@ojm/testing/programs";
import { onTestFinished } from "vitest";

/** A program of this folder, running in a process of its own. Killed after the test. */
export class Program {
  readonly process: ChildProcess;
  readonly exit: Promise<number | null>;
  readonly #messages: unknown[] = [];
  #onMessage: (() => void) | undefined;

  constructor(name: string, args: readonly string[]) {
    const program = programArgs(new URL(`programs/${name}.child.ts`, import.meta.url));
    const stdio = ["inherit", "inherit", "inherit", "ipc"] as const;
    this.process = spawn(process.execPath, [...program, ...args], { stdio: [...stdio] });
    this.process.on("message", (message) => {
      this.#messages.push(message);
      this.#onMessage?.();
    });
    this.exit = once(this.process, "exit").then(([code]) => {
      this.#onMessage?.();
      return code as number | null;
    });
    onTestFinished(async () => {
      this.kill("SIGKILL");
      await this.exit;
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  send(message: string): void {
    this.process.send(message);
  }

  async next<T>(): Promise<T> {
    while (this.#messages.length === 0) {
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`the program ended (${this.process.exitCode ?? this.process.signalCode})`);
      }
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
    return this.#messages.shift() as T;
  }
}

export function start(name: string, ...args: string[]): Program {
  return new Program(name, args);
}
