import { Worker } from "node:worker_threads";
import type { ChannelLocator } from "../../channel/types.js";
import { visible } from "../../util/text.js";
import { emitWarning } from "../../util/warning.js";

// Keep this URL here: the entry must lie beside this file, and beside the bundle that contains this file.
const ENTRY: URL = new URL("./heartbeat-worker.js", import.meta.url);

/** The time that the thread has to close its connection, in ms, before it is terminated. */
const PATIENCE = 1_000;

/**
 * The entry of the thread, for any flags of the process.
 *
 * Node does not start a thread from a file if the process has `--input-type`, as in `node --input-type=module
 * --eval …`. It accepts a `data:` URL that imports the file. Passing all flags but this one would not help:
 * Node rejects flags that are valid only for a process, such as `--max-old-space-size`.
 */
function entry(): URL {
  const flags = [...process.execArgv, process.env["NODE_OPTIONS"]].join(" ");
  if (!/--input[-_]type/.test(flags)) return ENTRY;
  return new URL(`data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(ENTRY.href)};`)}`);
}

/** How the thread opens the channels of the session. */
export interface HeartbeatLocators {
  readonly locks: ChannelLocator;
  /** The channel in which the owners of the locks keep their records, if there is one. */
  readonly records?: ChannelLocator;
}

/** The `workerData` of the thread. */
export interface HeartbeatData {
  readonly locators: HeartbeatLocators;
  readonly session: string;
  readonly ttl: number;
  readonly memory: SharedArrayBuffer;
}

/** Messages to the thread: the answer to a question, check now, and stop. */
export type ToHeartbeat = { readonly answer: number } | "look" | "stop";

/** The thread's question whether the main thread answers. */
export interface FromHeartbeat {
  readonly ask: number;
}

/**
 * The thread that keeps a session alive while the main thread is busy; see {@link BackupHeartbeat}. It never
 * keeps the process alive. If it fails or cannot start, the main thread's heartbeats continue, and a process
 * warning reports it.
 */
export class HeartbeatThread {
  readonly deadlines: SharedDeadline = new SharedDeadline();
  /** `undefined` if it could not be started. */
  readonly #worker: Worker | undefined;
  readonly #exited: Promise<void>;
  /** The value of `deadlines.timeout`. Only the main thread writes it. */
  #timeout: number = Number.POSITIVE_INFINITY;
  #over = false;

  /** `earliest` returns the end of the earliest timeout of all held leases. */
  constructor(data: Omit<HeartbeatData, "memory">, deadline: number, earliest: () => number) {
    this.deadlines.renewed(deadline, 0);
    this.deadlines.timeout = this.#timeout;
    // The thread needs no message before its first check.
    this.deadlines.nextLook = 0;
    const workerData: HeartbeatData = { ...data, memory: this.deadlines.memory };
    this.#worker = this.#start(workerData);
    this.#exited = this.#worker === undefined ? Promise.resolve() : this.#attend(this.#worker, earliest);
    // Call `unref` after the listeners are added: adding one makes the thread keep the process alive.
    this.#worker?.unref();
  }

  #start(workerData: HeartbeatData): Worker | undefined {
    try {
      return new Worker(entry(), { workerData, name: "ojm heartbeat" });
    } catch (error) {
      // Do not throw: the caller would lose the session, and its heartbeat would renew it forever.
      this.#failed(error);
      return undefined;
    }
  }

  /** Answers the thread. Resolves when the thread has exited. */
  #attend(worker: Worker, earliest: () => number): Promise<void> {
    worker.on("message", ({ ask }: FromHeartbeat) => {
      this.#timeout = earliest();
      this.deadlines.timeout = this.#timeout;
      this.#send({ answer: ask });
    });
    worker.on("error", (error) => this.#failed(error));
    return new Promise((resolve) => {
      worker.once("exit", (code) => {
        this.#failed(new Error(`it ended with code ${code}`));
        resolve();
      });
    });
  }

  /** Call it for each lock that was taken. `until` is the end of its timeout. */
  taken(until: number): void {
    if (until >= this.#timeout) return;
    this.#timeout = until;
    this.deadlines.timeout = until;
    if (until < this.deadlines.nextLook) this.#send("look");
  }

  /** Ends the thread. Resolves when it has exited. */
  async close(): Promise<void> {
    if (this.#over) return this.#exited;
    this.#over = true;
    if (!this.deadlines.connected) {
      await this.#worker?.terminate();
      return;
    }
    this.#send("stop");
    const timer = setTimeout(() => void this.#worker?.terminate(), PATIENCE);
    await this.#exited;
    clearTimeout(timer);
  }

  #send(message: ToHeartbeat): void {
    this.#worker?.postMessage(message);
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const why = error instanceof Error ? error.message : String(error);
    const text = `the heartbeat thread failed: ${visible(why)}. The main thread's heartbeats continue; a program that blocks its event loop for longer than its ttl loses its locks`;
    emitWarning("OJM_HEARTBEAT", text);
  }
}

/** The layout of the shared memory: times in µs of the host's monotonic clock, 0 for none; then flags. */
const DEADLINE = 0;
const TIMEOUT = 1;
const NEXT_LOOK = 2;
const TIMES = 3;
const LOST = 0;
const CONNECTED = 1;
const FLAGS = 2;

/** The largest 64-bit time: about 292,000 years. */
const NEVER = 9_223_372_036_854_775_807n;

/**
 * The state that the main thread and the heartbeat thread share in memory: the deadline of the session, and
 * when the heartbeat thread must check next. Messages cannot replace it, because a busy thread reads none.
 */
export class SharedDeadline {
  readonly memory: SharedArrayBuffer;
  readonly #times: BigInt64Array;
  readonly #flags: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(TIMES * 8 + FLAGS * 4)) {
    this.memory = memory;
    this.#times = new BigInt64Array(memory, 0, TIMES);
    this.#flags = new Int32Array(memory, TIMES * 8, FLAGS);
  }

  /** The deadline of the session, by the renewals of both threads. */
  get deadline(): number {
    return this.#time(DEADLINE);
  }

  /** Moves the deadline after a renewal. A session that is over stays over: it may count as dead. */
  renewed(deadline: number, now: number): void {
    const next = micros(deadline);
    for (;;) {
      const current = Atomics.load(this.#times, DEADLINE);
      if (next <= current || (current !== 0n && current <= micros(now))) return;
      if (Atomics.compareExchange(this.#times, DEADLINE, current, next) === current) return;
    }
  }

  /** The earliest end of a lease's timeout. It may be too early, but never too late. */
  get timeout(): number {
    return this.#time(TIMEOUT);
  }

  set timeout(time: number) {
    Atomics.store(this.#times, TIMEOUT, micros(time));
  }

  /** When the heartbeat thread checks next, unless a message makes it check sooner. */
  get nextLook(): number {
    return this.#time(NEXT_LOOK);
  }

  set nextLook(time: number) {
    Atomics.store(this.#times, NEXT_LOOK, micros(time));
  }

  /** Whether the session's entry was found missing in the store. */
  get lost(): boolean {
    return Atomics.load(this.#flags, LOST) === 1;
  }

  lose(): void {
    Atomics.store(this.#flags, LOST, 1);
  }

  /** Whether the heartbeat thread has opened, or is about to open, a connection that must be closed. */
  get connected(): boolean {
    return Atomics.load(this.#flags, CONNECTED) === 1;
  }

  connect(): void {
    Atomics.store(this.#flags, CONNECTED, 1);
  }

  #time(index: number): number {
    const time = Atomics.load(this.#times, index);
    return time === NEVER ? Number.POSITIVE_INFINITY : Number(time) / 1_000;
  }
}

/** Rounds down, so that a deadline is never late. */
function micros(ms: number): bigint {
  return ms === Number.POSITIVE_INFINITY ? NEVER : BigInt(Math.floor(ms * 1_000));
}
