import { totalmem } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { Setup } from "./protocol.js";
import { ScriptThread, type ThreadOptions } from "./thread.js";

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
  /** How many of the setups each thread has received. */
  readonly #brought = new Map<ScriptThread, number>();

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Starts a thread before it is needed: that takes as long as reading the job file. */
  warm(): ScriptThread {
    const thread = this.#start();
    this.#idle.push(thread);
    return thread;
  }

  /** Makes the files, modules and `init` of a job file known in all threads before their next script. */
  prepare(setup: Setup): void {
    if (isEmpty(setup) || this.#setups.some((known) => isDeepStrictEqual(known, setup))) return;
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

  /** Ends all threads. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((thread) => thread.end()));
  }

  #start(): ScriptThread {
    const thread = new ScriptThread(this.#options);
    this.#all.add(thread);
    return this.#bring(thread);
  }

  #bring(thread: ScriptThread): ScriptThread {
    for (const setup of this.#setups.slice(this.#brought.get(thread) ?? 0)) thread.load(setup);
    this.#brought.set(thread, this.#setups.length);
    return thread;
  }

  #drop(thread: ScriptThread): void {
    this.#all.delete(thread);
    this.#brought.delete(thread);
    void thread.end();
  }
}

function isEmpty({ loads, modules, init }: Setup): boolean {
  return loads.length === 0 && modules.length === 0 && init === undefined;
}
