import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readSync, writeFileSync } from "node:fs";
import { stopped } from "../../../packages/conformance/src/proxy/process-tree.js";
import { nodeArgs } from "../run/entry.js";
import type { Event, Order, Version, WorkerConfig } from "./events.js";
import { hostTime } from "./time.js";
import { WallClock } from "./wall-clock.js";

export type EventOf<E extends Event["e"]> = Extract<Event, { readonly e: E }>;

/** A worker process as the harness sees it: its journal, and what the harness can do to it. */
export class Member {
  readonly index: number;
  readonly version: Version;
  readonly events: Event[] = [];
  /** When the harness killed it. What it wrote until then counts. */
  killedAt: number | undefined;
  /** When the harness learned that it ended. */
  endedAt: number | undefined;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly #journal: string;
  readonly #wallClock: WallClock | undefined;
  readonly #process: ChildProcess;
  #over = false;
  #isLeaving = false;
  #read = 0;
  #rest = "";
  #stderr = "";

  /**
   * With `clockLibrary`, the path of libfaketime, the wall clock of the worker can be set. `runOn` is the
   * command prefix that starts it on a host of its own. `base` is the folder of the programs of the base
   * version.
   */
  constructor(
    config: WorkerConfig,
    clockLibrary: string | undefined,
    { runOn = [], base }: { readonly runOn?: readonly string[]; readonly base?: string | undefined } = {},
  ) {
    this.index = config.index;
    this.version = config.version;
    this.#journal = config.journal;
    writeFileSync(this.#journal, "");
    if (clockLibrary !== undefined) this.#wallClock = new WallClock(clockLibrary, `${config.journal}.clock`);
    const env = { ...process.env, ...this.#wallClock?.env };
    const node = nodeArgs("worker", config.version === "base" ? base : undefined);
    const command = [...runOn, process.execPath, ...node, JSON.stringify(config)];
    const [program = process.execPath, ...args] = command;
    this.#process = spawn(program, args, {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env,
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.ended = once(this.#process, "close").then(([code, signal]) => {
      this.#over = true;
      this.endedAt = hostTime();
      return (code ?? signal) as number | string;
    });
    // A cell that is broken off must leave no process behind.
    process.once("exit", this.#onExit);
    void this.ended.finally(() => process.off("exit", this.#onExit));
  }

  readonly #onExit = (): void => void this.#process.kill("SIGKILL");

  get over(): boolean {
    return this.#over;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Whether it runs jobs, and was not asked to end. */
  get isAtWork(): boolean {
    return !this.#over && !this.#isLeaving && this.killedAt === undefined && this.all("ready").length > 0;
  }

  /** Reads what the worker wrote to its journal since the last call. */
  refresh(): void {
    const file = openSync(this.#journal, "r");
    const buffer = Buffer.alloc(1 << 18);
    for (;;) {
      const length = readSync(file, buffer, 0, buffer.length, this.#read);
      if (length === 0) break;
      this.#read += length;
      // Latin-1, because a chunk may end within a character. What matters in a journal is ASCII.
      const lines = (this.#rest + buffer.toString("latin1", 0, length)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.events.push(JSON.parse(line) as Event);
    }
    closeSync(file);
  }

  all<E extends Event["e"]>(e: E): EventOf<E>[] {
    return this.events.filter((event): event is EventOf<E> => event.e === e);
  }

  order(order: Order): void {
    if (this.#process.connected) this.#process.send(order);
  }

  /** Stops the process. Resolves once all its threads are stopped. */
  async pause(): Promise<void> {
    this.#process.kill("SIGSTOP");
    await stopped(this.#process.pid);
  }

  goOn(): void {
    this.#process.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    if (this.#over) return;
    this.killedAt ??= hostTime();
    this.#process.kill("SIGKILL");
    await this.ended;
  }

  /** It will be replaced: no fault may choose it any more. */
  leaves(): void {
    this.#isLeaving = true;
  }

  terminate(): void {
    this.leaves();
    this.#process.kill("SIGTERM");
  }

  /** Sets its wall clock `ahead` seconds ahead of the host's. */
  setWallClock(ahead: number): void {
    this.#wallClock?.set(ahead);
  }
}
