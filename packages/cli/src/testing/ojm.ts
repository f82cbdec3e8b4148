import { type ChildProcess, spawn } from "node:child_process";
import { programArgs } from "@ojm/testing/programs";
import { onTestFinished } from "vitest";

const MAIN = new URL("../main.ts", import.meta.url);

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command and parameters that run the command line. */
export function commandOf(words: readonly string[]): readonly string[] {
  return [process.execPath, ...programArgs(MAIN), ...words];
}

/** The command line, running in a process of its own. */
export class Ojm {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  out = "";
  err = "";

  /** `within` is a command that runs it, with its parameters. */
  constructor(
    folder: string,
    words: readonly string[],
    env: NodeJS.ProcessEnv = process.env,
    within: readonly string[] = [],
  ) {
    const [command = "", ...parameters] = [...within, ...commandOf(words)];
    this.process = spawn(command, parameters, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    this.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.err += text;
    });
    this.ended = new Promise((resolve) =>
      this.process.once("close", (code) => resolve({ code, out: this.out, err: this.err })),
    );
  }

  /** Resolves once the output holds this text. */
  async prints(text: string): Promise<void> {
    while (!this.out.includes(text)) {
      if (this.process.exitCode !== null) throw new Error(`ended before it printed "${text}": ${this.out}${this.err}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Starts the command line in a folder. */
export function start(folder: string, ...words: string[]): Ojm {
  const ojm = new Ojm(folder, words);
  onTestFinished(() => void ojm.process.kill("SIGKILL"));
  return ojm;
}

/** Runs the command line in a folder to its end. */
export function ojm(folder: string, ...words: string[]): Promise<Ended> {
  return start(folder, ...words).ended;
}
