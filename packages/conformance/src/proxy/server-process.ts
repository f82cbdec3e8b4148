import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Heal } from "../harness/harness.js";

/** How to start a server. */
export interface ServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** It is ready when this port takes connections, and `ready` resolves to true. */
  readonly port: number;
  readonly ready?: () => Promise<boolean>;
  /** The longest that it may take to become ready, in ms. Default: 20,000. */
  readonly patience?: number;
}

/** A server that a harness starts, kills, starts again, and stops. */
export class ServerProcess {
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;

  private constructor(options: ServerOptions) {
    this.#options = options;
    process.once("exit", this.#onExit);
  }

  // A test run that is interrupted leaves no server behind.
  readonly #onExit = (): void => void this.#child?.kill("SIGKILL");

  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    await server.#spawn();
    return server;
  }

  async #spawn(): Promise<void> {
    const { command, args, port, ready = async () => true, patience = 20_000 } = this.#options;
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4_000);
      });
    }
    const failed = once(child, "error").then(([error]) => Promise.reject(error));
    failed.catch(() => {});
    const end = performance.now() + patience;
    for (;;) {
      if ((await Promise.race([accepts(port), failed])) && (await ready().catch(() => false))) return;
      if (child.exitCode !== null) throw new Error(`${command} ended at once: ${said}`);
      if (performance.now() > end) throw new Error(`${command} was not ready within ${patience} ms: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Makes it hang. */
  readonly pause = async (): Promise<Heal> => {
    this.#child?.kill("SIGSTOP");
    // The signal is on its way when `kill` returns, and a thread may answer one more request.
    while (!standsStill(this.pid)) await new Promise((resolve) => setTimeout(resolve, 1));
    return async () => void this.#child?.kill("SIGCONT");
  };

  /** Kills it without a warning and starts it again. `between` is called while it is down. */
  readonly restart = async (between: () => Promise<void> = async () => {}): Promise<void> => {
    await this.#kill();
    await between();
    await this.#spawn();
  };

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    process.off("exit", this.#onExit);
    await this.#kill();
  }
}

/** Whether all threads of a process are stopped. Where the system does not tell, it is believed. */
function standsStill(pid: number | undefined): boolean {
  const folder = `/proc/${pid}/task`;
  if (!existsSync(folder)) return true;
  return readdirSync(folder).every((thread) => {
    const stat = readFileSync(`${folder}/${thread}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2] === "T";
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
