import { totalmem } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { JobProgress } from "../output/live-lines.js";
import type { Level } from "../output/log.js";
import { toFailure } from "./failure.js";
import {
  ANSWERED,
  type Answer,
  type CallMessage,
  type DoneMessage,
  type FailureData,
  type FromThread,
  type RunMessage,
  type Setup,
  STOPPED,
  type ThreadData,
  type ToThread,
} from "./protocol.js";

/** Serves a script while it runs. */
export interface ScriptHost {
  call(name: string, parameters: readonly unknown[]): Promise<unknown>;
  log(level: Level, message: string, time: number): void;
  print(text: string, toError: boolean): void;
  progress(progress: JobProgress): void;
  readonly globals: SharedGlobals;
  readonly ahead: number;
}

export interface ThreadOptions {
  readonly script: URL;
  readonly memoryLimit: number;
  /** JavaScript files to load first. Absolute paths. */
  readonly files: readonly string[];
}

export type ScriptEnd = Omit<DoneMessage, "type" | "globals" | "unshared" | "reusable">;

/** A thread for scripts, one at a time. */
export class ScriptThread {
  readonly #worker: Worker;
  readonly #answers: MessagePort;
  readonly #signal: Int32Array;
  readonly #exited: Promise<void>;
  #host: ScriptHost | undefined;
  #finish: ((message: FromThread | FailureData) => void) | undefined;
  #crash: FailureData | undefined;
  #alive = true;
  #ending = false;
  #reusable = true;
  /** Whether no script of the current job has run here. */
  #fresh = true;
  #seen = 0;
  /** How many setups of its pool it has received. */
  setups = 0;
  /** Resolves once everything is loaded, with the failure if there was one. */
  loaded: Promise<FailureData | undefined> = Promise.resolve(undefined);

  constructor({ script, memoryLimit, files }: ThreadOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#answers = port1;
    // This port only sends, because a port with a listener would keep the process alive.
    port1.unref();
    this.#signal = new Int32Array(new SharedArrayBuffer(8));
    const workerData: ThreadData = { answers: port2, signal: this.#signal };
    this.#worker = new Worker(script, {
      workerData,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: memoryLimit },
      // Output comes as messages. Otherwise Node would connect the streams of the thread to those of this
      // process.
      stdout: true,
      stderr: true,
    });
    this.#worker.on("message", (message: FromThread) => this.#receive(message));
    this.#worker.on("error", (error) => {
      this.#crash ??= crashFailure(toFailure(error), memoryLimit);
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once("exit", (code) => {
        this.#alive = false;
        this.#finish?.(this.#crash ?? exitFailure(code));
        port1.close();
        resolve();
      });
    });
    if (files.length > 0) this.load({ loads: files, modules: [] });
  }

  /** Call it when the job that ran scripts here is over. */
  jobOver(): void {
    this.#fresh = true;
  }

  /** Loads one more setup. The next script waits for it. */
  load(setup: Setup): void {
    this.loaded = this.loaded.then((failure) => failure ?? this.#load(setup));
  }

  get alive(): boolean {
    return this.#alive && !this.#ending;
  }

  /** Whether the next job may run here: the thread lives, and no script has left anything behind in it. */
  get reusable(): boolean {
    return this.alive && this.#reusable && this.#finish === undefined;
  }

  async run(message: Omit<RunMessage, "type" | "globals" | "ahead" | "fresh">, host: ScriptHost): Promise<ScriptEnd> {
    Atomics.store(this.#signal, STOPPED, 0);
    // A stop that comes during loading applies to this script.
    const failure = await this.loaded;
    if (failure !== undefined) return { failure, args: message.args };
    this.#host = host;
    const more = { fresh: this.#fresh, ahead: host.ahead, globals: this.#newGlobals(host) };
    this.#fresh = false;
    const end = await this.#exchange({ type: "run", ...message, ...more });
    this.#host = undefined;
    if (!("type" in end)) return { failure: end, args: message.args };
    if (end.type !== "done") return { args: message.args };
    host.globals.set(end.globals, this);
    this.#reusable = end.reusable;
    warnOfUnshared(host.globals.unreported(end.unshared), host);
    return end;
  }

  async #load(setup: Setup): Promise<FailureData | undefined> {
    const end = await this.#exchange({ type: "load", ...setup });
    const failure = "type" in end ? (end.type === "loaded" ? end.failure : undefined) : end;
    if (failure !== undefined) this.#reusable = false;
    return failure;
  }

  /** Asks the script to stop: the call in which it waits throws, and `job.signal` fires. */
  stop(): void {
    Atomics.store(this.#signal, STOPPED, 1);
    this.#wake();
    Atomics.notify(this.#signal, STOPPED);
    this.#worker.postMessage({ type: "stop" });
  }

  /** Ends the thread, whatever is running in it. `why` becomes the error of the script. */
  async end(why?: FailureData): Promise<void> {
    this.#crash ??= why;
    this.#ending = true;
    await this.#worker.terminate();
    await this.#exited;
  }

  #exchange(message: ToThread): Promise<FromThread | FailureData> {
    if (!this.alive) return Promise.resolve(this.#crash ?? exitFailure(0));
    return new Promise((resolve) => {
      this.#finish = (end) => {
        this.#finish = undefined;
        resolve(end);
      };
      this.#worker.postMessage(message);
    });
  }

  #receive(message: FromThread): void {
    if (message.type === "log") this.#host?.log(message.level, message.message, message.time);
    else if (message.type === "print") this.#host?.print(message.text, message.toError);
    else if (message.type === "progress") this.#host?.progress(message);
    else if (message.type === "globals") this.#host?.globals.set(message.globals, this);
    else if (message.type === "call") void this.#answer(message, this.#host);
    else this.#finish?.(message);
  }

  async #answer({ id, call, parameters, globals }: CallMessage, host: ScriptHost | undefined): Promise<void> {
    if (host === undefined) return;
    host.globals.set(globals, this);
    let answer: Pick<Answer, "value" | "failure">;
    try {
      answer = { value: await host.call(call, parameters) };
    } catch (error) {
      answer = { failure: toFailure(error) };
    }
    this.#answers.postMessage({ id, ...answer, globals: this.#newGlobals(host) });
    this.#wake();
  }

  #newGlobals({ globals }: ScriptHost): Record<string, unknown> {
    const since = globals.since(this.#seen, this);
    this.#seen = since.seen;
    return since.globals;
  }

  #wake(): void {
    Atomics.add(this.#signal, ANSWERED, 1);
    Atomics.notify(this.#signal, ANSWERED);
  }
}

function warnOfUnshared(names: readonly string[], host: ScriptHost): void {
  const [first, ...others] = names;
  if (first === undefined) return;
  const what =
    others.length === 0 ? `"${first}" in global holds` : `"${first}" and ${others.length} more in global hold`;
  const text = `${what} a function, which no other job sees: put it into a file, and name that under "ojob.loads"`;
  host.log("WARN", text, Date.now() + host.ahead);
}

function crashFailure(failure: FailureData, memoryLimit: number): FailureData {
  if (failure.code !== "ERR_WORKER_OUT_OF_MEMORY") return failure;
  return { name: "JobError", message: `the script filled its memory, ${memoryLimit} MB` };
}

function exitFailure(code: number): FailureData {
  if (code !== 0) return { name: "JobError", message: `the script ended its thread with exit code ${code}` };
  const message =
    "the script ended without finishing: it called process.exit(), or waits for something that can never happen";
  return { name: "JobError", message };
}

/** The data that scripts store in `global`, copied between the threads of this process. */
export class SharedGlobals {
  readonly #globals = new Map<string, { readonly value: unknown; readonly version: number; readonly by: object }>();
  #version = 0;
  readonly #reported = new Set<string>();

  set(changed: Readonly<Record<string, unknown>>, by: object): void {
    for (const [name, value] of Object.entries(changed)) {
      this.#globals.set(name, { value, version: ++this.#version, by });
    }
  }

  /** The names among these unshared globals that have not been reported yet. */
  unreported(unshared: readonly string[]): string[] {
    const names = unshared.filter((name) => !this.#reported.has(name));
    for (const name of names) this.#reported.add(name);
    return names;
  }

  /** The globals that other threads than `by` have set after `seen`, and the next `seen`. */
  since(seen: number, by: object): { readonly globals: Record<string, unknown>; readonly seen: number } {
    const globals: Record<string, unknown> = {};
    if (seen < this.#version) {
      // Omit the globals of the thread itself: a copy would replace the object that the thread works on.
      for (const [name, one] of this.#globals) if (one.version > seen && one.by !== by) globals[name] = one.value;
    }
    return { globals, seen: this.#version };
  }
}

/** The heap limit of one script thread, in MB: half of the machine's memory, at most 2 GB. */
export function defaultMemoryLimit(): number {
  const most = Math.min(totalmem(), process.constrainedMemory?.() || Number.POSITIVE_INFINITY);
  return Math.max(64, Math.min(2048, Math.floor(most / 2 / 1024 / 1024)));
}

/** Keeps threads for the next script, as long as that is safe. */
export class ThreadPool {
  readonly #options: ThreadOptions;
  readonly #idle: ScriptThread[] = [];
  readonly #all = new Set<ScriptThread>();
  readonly #setups: Setup[] = [];

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Starts a thread before it is needed, because that takes as long as reading the job file. */
  warm(): ScriptThread {
    const thread = this.#start();
    this.#idle.push(thread);
    return thread;
  }

  /** Loads the files, modules and `init` of a job file in all threads before their next script. */
  prepare(setup: Setup): void {
    const { loads, modules, init } = setup;
    const isEmpty = loads.length === 0 && modules.length === 0 && init === undefined;
    if (isEmpty || this.#setups.some((known) => isDeepStrictEqual(known, setup))) return;
    this.#setups.push(setup);
    for (const thread of this.#idle) this.#bring(thread);
  }

  /** Takes a thread for one job. Give it back with {@link release}. */
  acquire(): ScriptThread {
    for (let thread = this.#idle.pop(); thread !== undefined; thread = this.#idle.pop()) {
      if (thread.reusable) return this.#bring(thread);
      this.#drop(thread);
    }
    return this.#start();
  }

  /** Takes a thread back when its job is done. */
  release(thread: ScriptThread): void {
    thread.jobOver();
    if (thread.reusable) this.#idle.push(thread);
    else this.#drop(thread);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((thread) => thread.end()));
  }

  #start(): ScriptThread {
    const thread = new ScriptThread(this.#options);
    this.#all.add(thread);
    return this.#bring(thread);
  }

  #bring(thread: ScriptThread): ScriptThread {
    for (const setup of this.#setups.slice(thread.setups)) thread.load(setup);
    thread.setups = this.#setups.length;
    return thread;
  }

  #drop(thread: ScriptThread): void {
    this.#all.delete(thread);
    void thread.end();
  }
}
