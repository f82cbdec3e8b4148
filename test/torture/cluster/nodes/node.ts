import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { familyOf, hasEnded, signal, stopFamily } from "../../../../packages/conformance/src/proxy/process-tree.js";
import type { Heal } from "../../faults/heal.js";

/** How to start a node. */
export interface NodeOptions {
  /** Its name in the timeline. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The program and its arguments, with the prefix that runs it on its host. */
  readonly command: readonly string[];
  /** Matches its output once it serves. */
  readonly ready: RegExp;
}

/** How long a node may take until it serves, in ms. Only an overloaded machine takes this long. */
const PATIENCE = 60_000;

/** The running nodes. The harness kills them when it exits. */
const running: Set<ChildProcess> = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A process of a cluster, on a host of a private network. */
export class ClusterNode {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly #options: NodeOptions;
  #process: ChildProcess | undefined;

  constructor(options: NodeOptions) {
    const { name, host, port } = options;
    this.name = name;
    this.host = host;
    this.port = port;
    this.#options = options;
  }

  /**
   * Starts the process. Resolves once it serves. Rejects with its output if it ends instead, or does not
   * serve within {@link PATIENCE} ms.
   */
  async start(): Promise<void> {
    const [program = "", ...args] = this.#options.command;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    let said = "";
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        said = (said + chunk).slice(-20_000);
        if (this.#options.ready.test(said)) resolve();
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`${this.name} ended:\n${said.slice(-2_000)}`)));
      timer = setTimeout(() => reject(new Error(`${this.name} does not serve:\n${said.slice(-2_000)}`)), PATIENCE);
    }).finally(() => clearTimeout(timer));
  }

  /** Whether the process runs, maybe stopped. */
  get isRunning(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Kills the process, and those that it started, without a warning. Its data stays. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined || !this.isRunning) return;
    const ended = once(child, "exit");
    const family = await stopFamily(child.pid);
    for (const pid of family) signal(pid, "SIGKILL");
    await ended;
    while (!family.every(hasEnded)) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /**
   * Stops the process, and those that it started: it keeps its connections and answers nothing. Resolves once
   * all threads are stopped.
   */
  async freeze(): Promise<Heal> {
    const pid = this.#process?.pid;
    if (pid === undefined) return async () => {};
    await stopFamily(pid);
    return async () => {
      for (const each of familyOf(pid)) signal(each, "SIGCONT");
    };
  }
}

/** Starts all nodes at once. */
export async function startAll(nodes: readonly ClusterNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.start()));
}
