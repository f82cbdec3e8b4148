import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Duration } from "@ojm/core/backend";
import type { Heal } from "../harness/harness.js";
import { msOf } from "../support/duration.js";
import { onFreePorts, releasePort } from "./free-port.js";
import { familyOf, hasEnded, signal, stopFamily } from "./process-tree.js";

/** How to start a server. */
export interface ServerOptions {
  readonly command: string;
  /** The arguments of the command, or a function that makes them from the port. */
  readonly args: readonly string[] | ((port: number) => readonly string[]);
  /**
   * The server counts as ready when this port accepts connections and `ready` resolves to true. Default: a
   * free port.
   */
  readonly port?: number;
  /**
   * For a server that accepts connections before it can answer. Called again until it resolves to true, even
   * after a rejection.
   */
  readonly ready?: (port: number) => Promise<boolean>;
  /** How long the server may take to become ready. Default: 20 s. */
  readonly patience?: Duration;
}

/** How long to wait for the rest of the output of a server that has ended, in ms. */
const LAST_WORDS = 1_000;

/**
 * A server that a harness starts, pauses, restarts and stops. All of this applies to its process and to the
 * processes which that one started.
 */
export class ServerProcess {
  readonly port: number;
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;

  private constructor(options: ServerOptions, port: number) {
    this.port = port;
    this.#options = options;
    process.once("exit", this.#onExit);
  }

  // An interrupted test run must not leave the server running.
  readonly #onExit = (): void => {
    for (const pid of this.#family()) signal(pid, "SIGKILL");
  };

  static async start(options: ServerOptions): Promise<ServerProcess> {
    if (options.port !== undefined) return await ServerProcess.#startOn(options.port, options);
    return await onFreePorts({}, (port = 0) => ServerProcess.#startOn(port, options));
  }

  static async #startOn(port: number, options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options, port);
    try {
      await server.#spawn();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async #spawn(): Promise<void> {
    const { command, args, ready = async () => true } = this.#options;
    const patience = msOf("patience", this.#options.patience ?? 20_000);
    const { port } = this;
    const given = typeof args === "function" ? args(port) : args;
    // Otherwise the other program would count as our server.
    if (await accepts(port)) throw new Error(`${command} cannot start: port ${port} is an address already in use`);
    const child = spawn(command, given, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4_000);
      });
    }
    const failed = once(child, "error").then(([error]) => Promise.reject(error));
    failed.catch(() => {});
    const closed = once(child, "close").catch(() => {});
    const end = performance.now() + patience;
    for (;;) {
      const isReady = (await Promise.race([accepts(port), failed])) && (await ready(port).catch(() => false));
      // If it has ended, another program answers on its port.
      if (child.exitCode !== null) {
        // Its last words say why. A process that it left behind may keep its output open.
        await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, LAST_WORDS))]);
        throw new Error(`${command} ended at once: ${said}`);
      }
      if (isReady) return;
      if (performance.now() > end) throw new Error(`${command} was not ready within ${patience} ms: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The ids of the process and of those that it started. Empty while the server does not run. */
  #family(): number[] {
    const child = this.#child;
    const ended = child === undefined || child.exitCode !== null || child.signalCode !== null;
    return ended || child.pid === undefined ? [] : familyOf(child.pid);
  }

  /** Makes the server hang until it is healed. Resolves once all its processes are stopped. */
  readonly pause = async (): Promise<Heal> => {
    await this.#stopAll();
    return async () => {
      for (const pid of this.#family()) signal(pid, "SIGCONT");
    };
  };

  async #stopAll(): Promise<void> {
    const [pid] = this.#family();
    if (pid !== undefined) await stopFamily(pid);
  }

  /**
   * Kills the server without warning and starts it again. Calls `between` while it is down. Resolves once it
   * is ready.
   */
  readonly restart = async (between: () => Promise<void> = async () => {}): Promise<void> => {
    await this.#kill();
    await between();
    await this.#spawn();
  };

  /** Resolves once none of its processes is left: a new server must not meet an old one on the same data. */
  async #kill(): Promise<void> {
    // Stop all processes first, so that none of them can start one more meanwhile.
    await this.#stopAll();
    const child = this.#child;
    const family = this.#family();
    if (child === undefined || family.length === 0) return;
    const ended = once(child, "exit");
    for (const pid of family) signal(pid, "SIGKILL");
    await ended;
    while (!family.every(hasEnded)) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Kills the server for good, without warning. */
  async stop(): Promise<void> {
    process.off("exit", this.#onExit);
    await this.#kill();
    releasePort(this.port);
  }
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
