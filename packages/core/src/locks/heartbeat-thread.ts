import { Worker } from "node:worker_threads";
import type { ChannelOrigin } from "../channel/origin.js";
import { visible } from "../visible.js";
import { Pulse } from "./pulse.js";

// Here, and not where it is used: its entry is a neighbour of this file, and of the bundle that it becomes a part of.
const ENTRY: URL = new URL("./heartbeat-worker.js", import.meta.url);

/** How long the thread has to close its connection by itself, in ms. */
const PATIENCE = 1_000;

/**
 * What a thread begins with, whatever flags it inherits. Node refuses to begin with a file where `--input-type` is among them, as in
 * `node --input-type=module --eval …`, but a text may import that file. To hand on all flags but this one is no way out: a thread that is given
 * flags is refused if one of them is for a whole process, such as `--max-old-space-size`.
 */
function entry(): URL {
  const flags = [...process.execArgv, process.env["NODE_OPTIONS"]].join(" ");
  if (!/--input[-_]type/.test(flags)) return ENTRY;
  return new URL(`data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(ENTRY.href)};`)}`);
}

/** Where a thread finds what it keeps alive. */
export interface HeartbeatOrigins {
  readonly locks: ChannelOrigin;
  /** The channel of the run records, if the locks are those of runs. */
  readonly jobs?: ChannelOrigin;
}

/** What a thread is started with. */
export interface HeartbeatData {
  readonly origins: HeartbeatOrigins;
  readonly session: string;
  readonly ttl: number;
  readonly memory: SharedArrayBuffer;
}

/** What the thread is told: that it was answered, that it must look sooner than it meant to, that it is over. */
export type ToHeartbeat = { readonly answer: number } | "look" | "stop";

/** What the thread asks the main thread: whether it is there. */
export interface FromHeartbeat {
  readonly ask: number;
}

/**
 * The thread that keeps a session alive while the main thread computes; see {@link StandIn}. It never keeps the process alive. If it fails, or
 * cannot even be started, the main thread's own heartbeats go on, and a warning says so.
 */
export class HeartbeatThread {
  readonly pulse: Pulse = new Pulse();
  /** `undefined` if it could not be started. */
  readonly #worker: Worker | undefined;
  readonly #exited: Promise<void>;
  /** What `pulse.timeout` is: only this thread writes it. */
  #timeout: number = Number.POSITIVE_INFINITY;
  #over = false;

  /** `earliest` tells when the first lease that is held now runs out of its time. */
  constructor(data: Omit<HeartbeatData, "memory">, deadline: number, earliest: () => number) {
    this.pulse.renewed(deadline, 0);
    this.pulse.timeout = this.#timeout;
    // Until it has looked for the first time, it need not be told to.
    this.pulse.nextLook = 0;
    const workerData: HeartbeatData = { ...data, memory: this.pulse.memory };
    this.#worker = this.#start(workerData);
    this.#exited = this.#worker === undefined ? Promise.resolve() : this.#attend(this.#worker, earliest);
    // After a listener was added, which makes it hold the process.
    this.#worker?.unref();
  }

  #start(workerData: HeartbeatData): Worker | undefined {
    try {
      return new Worker(entry(), { workerData, name: "ojm heartbeat" });
    } catch (error) {
      // Thrown on, it would leave a session behind that nobody knows, and that is renewed for ever.
      this.#failed(error);
      return undefined;
    }
  }

  /** Answers the thread; resolves when it is over. */
  #attend(worker: Worker, earliest: () => number): Promise<void> {
    worker.on("message", ({ ask }: FromHeartbeat) => {
      this.#timeout = earliest();
      this.pulse.timeout = this.#timeout;
      this.#tell({ answer: ask });
    });
    worker.on("error", (error) => this.#failed(error));
    return new Promise((resolve) => {
      worker.once("exit", (code) => {
        this.#failed(new Error(`it ended with code ${code}`));
        resolve();
      });
    });
  }

  /** A lock was taken that runs out of its time at `until`. */
  taken(until: number): void {
    if (until >= this.#timeout) return;
    this.#timeout = until;
    this.pulse.timeout = until;
    if (until < this.pulse.nextLook) this.#tell("look");
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    if (this.#over) return this.#exited;
    this.#over = true;
    if (!this.pulse.connected) {
      await this.#worker?.terminate();
      return;
    }
    this.#tell("stop");
    const timer = setTimeout(() => void this.#worker?.terminate(), PATIENCE);
    await this.#exited;
    clearTimeout(timer);
  }

  #tell(message: ToHeartbeat): void {
    this.#worker?.postMessage(message);
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const why = error instanceof Error ? error.message : String(error);
    const text = `the heartbeat thread failed: ${visible(why)}. The main thread's heartbeats go on; a program that computes without a break for longer than its ttl loses its locks`;
    process.emitWarning(text, { type: "OjmWarning", code: "OJM_HEARTBEAT" });
  }
}
