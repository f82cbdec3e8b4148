import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Heal } from "../harness/harness.js";
import { freePort } from "./free-port.js";
import { familyOf, hasEnded, signal, standsStill } from "./process-tree.js";

/** How to start a server. */
export interface ServerOptions {
  readonly command: string;
  /** Its arguments, which may depend on its port. */
  readonly args: readonly string[] | ((port: number) => readonly string[]);
  /** It is ready when this port takes connections, and `ready` resolves to true. Default: a free one. */
  readonly port?: number;
  /**
   * For a server that takes connections before it does what they ask. It is asked again until then, also
   * after a rejection.
   */
  readonly ready?: (port: number) => Promise<boolean>;
  /** The longest that it may take to become ready, in ms. Default: 20,000. */
  readonly patience?: number;
}

/**
 * A server that a harness starts, kills, starts again, and stops: a process, with those that it started
 * itself.
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

  // A test run that is interrupted leaves no server behind.
  readonly #onExit = (): void => {
    for (const pid of this.#family()) signal(pid, "SIGKILL");
  };

  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options, options.port ?? (await freePort()));
    await server.#spawn();
    return server;
  }

  async #spawn(): Promise<void> {
    const { command, args, ready = async () => true, patience = 20_000 } = this.#options;
    const { port } = this;
    const given = typeof args === "function" ? args(port) : args;
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
    const end = performance.now() + patience;
    for (;;) {
      if ((await Promise.race([accepts(port), failed])) && (await ready(port).catch(() => false))) return;
      if (child.exitCode !== null) throw new Error(`${command} ended at once: ${said}`);
      if (performance.now() > end) throw new Error(`${command} was not ready within ${patience} ms: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The process and those that it started, while it runs. */
  #family(): number[] {
    const child = this.#child;
    const ended = child === undefined || child.exitCode !== null || child.signalCode !== null;
    return ended || child.pid === undefined ? [] : familyOf(child.pid);
  }

  /** Makes it hang. */
  readonly pause = async (): Promise<Heal> => {
    await this.#stopAll();
    return async () => {
      for (const pid of this.#family()) signal(pid, "SIGCONT");
    };
  };

  async #stopAll(): Promise<void> {
    // The signal is on its way when it was sent, and a thread may answer one more request, or start one more
    // process.
    for (let family = this.#family(); ; family = this.#family()) {
      if (family.every(standsStill)) return;
      for (const pid of family) signal(pid, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Kills it without a warning and starts it again. `between` is called while it is down. */
  readonly restart = async (between: () => Promise<void> = async () => {}): Promise<void> => {
    await this.#kill();
    await between();
    await this.#spawn();
  };

  /** Until none of its processes is left: a new server would meet an old one over the same data. */
  async #kill(): Promise<void> {
    // Nothing can start one more process meanwhile.
    await this.#stopAll();
    const child = this.#child;
    const family = this.#family();
    if (child === undefined || family.length === 0) return;
    const ended = once(child, "exit");
    for (const pid of family) signal(pid, "SIGKILL");
    await ended;
    while (!family.every(hasEnded)) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Ends it. */
  async stop(): Promise<void> {
    process.off("exit", this.#onExit);
    await this.#kill();
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
