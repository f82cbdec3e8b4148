import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { programArgs } from "@ojm/testing/programs";
import { expect, onTestFinished } from "vitest";

const MAIN = new URL("../main.ts", import.meta.url);

/** A preload that throws an uncaught error on a signal. */
const FAULT = `data:text/javascript,${encodeURIComponent(
  'process.once("SIGUSR2", () => { throw new Error("a fault of a test") });',
)}`;

/** Whether this machine has the `script` of util-linux, which makes terminals. */
export function hasTerminals(): boolean {
  return spawnSync("script", ["-qec", "exit 7", "/dev/null"]).status === 7;
}

/** The command line on a terminal of its own. */
export class Terminal {
  /** All that was written to the terminal. */
  out = "";
  readonly ended: Promise<number | null>;
  readonly #script: ChildProcessWithoutNullStreams;

  constructor(folder: string, columns: number, words: readonly string[]) {
    const node = [process.execPath, "--import", FAULT, ...programArgs(MAIN), ...words];
    const command = node.map((word) => `'${word}'`).join(" ");
    // A shell that stays would get the same Ctrl-C, and script would return the exit code of the shell: 130.
    const line = `stty cols ${columns} rows 24; echo "pid $$"; exec ${command}`;
    const { NO_COLOR: _, ...env } = process.env;
    this.#script = spawn("script", ["-qec", line, "/dev/null"], { cwd: folder, env: { ...env, TERM: "xterm" } });
    onTestFinished(() => void this.#script.kill("SIGKILL"));
    this.#script.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    this.ended = new Promise((resolve) => this.#script.once("close", resolve));
  }

  /** Resolves once this text is on the terminal. */
  async shows(text: string | RegExp): Promise<void> {
    await expect.poll(() => this.out).toMatch(text);
  }

  /** Types keys. Discards the output before them. */
  type(keys: string): void {
    this.out = "";
    this.#script.stdin.write(keys);
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  get #pid(): number {
    return Number(/pid (\d+)/.exec(this.out)?.[1]);
  }
}
