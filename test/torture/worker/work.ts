import { type Channel, isChannelError, isRunError, type JobManager, type Run } from "@ojm/core";
import type { Order, WorkerConfig } from "../events.js";
import type { Journal } from "./journal.js";

/** How long the modes wait for a lock, in ms; `run` takes the default. */
const PATIENCE = 20_000;

/** What a body does. */
interface Shape {
  readonly ms: number;
  readonly obeys: boolean;
  readonly fails: boolean;
  readonly block: boolean;
  readonly held: boolean;
}

/** The register that bodies write to under their fence. */
export type Register = Channel<{ readonly fence: string }>;

/** Runs jobs, one after the other, until it is stopped. */
export class Work {
  readonly #config: WorkerConfig;
  readonly #journal: Journal;
  readonly #chance: () => number;
  /** What the next body is to do. */
  readonly #orders: (Order & { readonly order: "hold" })[] = [];
  #runs = 0;
  #stopped = false;

  constructor(config: WorkerConfig, journal: Journal, chance: () => number) {
    this.#config = config;
    this.#journal = journal;
    this.#chance = chance;
  }

  hold(order: Order & { readonly order: "hold" }): void {
    this.#orders.push(order);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves once it was stopped and its last run is settled. */
  async loop(manager: JobManager, register: Register): Promise<void> {
    while (!this.#stopped) {
      await this.#oneRun(manager, register);
      await sleep(this.#between(0, this.#config.mode === "try" ? 15 : 5));
    }
  }

  /** Unlocks by force, now and then. */
  async unlock(manager: JobManager): Promise<void> {
    while (!this.#stopped) {
      await sleep(this.#between(100, 400));
      const name = this.#name();
      this.#journal.write({ e: "unlocking", name });
      await manager.unlock(name, { reason: "torture" }).catch((error: unknown) => this.#unexpected(error));
      this.#journal.write({ e: "unlocked", name });
    }
  }

  #between(low: number, high: number): number {
    return low + this.#chance() * (high - low);
  }

  #name(): string {
    const { names } = this.#config;
    return names[Math.floor(this.#chance() * names.length)] ?? "";
  }

  #shape(): Shape {
    const order = this.#orders.shift();
    if (order !== undefined) return { ...order, fails: false, held: true };
    const ms = this.#chance() < 0.02 ? 1.3 * this.#config.ttl : this.#between(5, 50);
    return { ms, obeys: this.#chance() < 0.85, fails: this.#chance() < 0.05, block: false, held: false };
  }

  async #oneRun(manager: JobManager, register: Register): Promise<void> {
    const { index, mode } = this.#config;
    const id = `${index}.${++this.#runs}`;
    const name = this.#name();
    const wait = mode === "try" ? 0 : mode === "wait" ? PATIENCE : 2_500;
    this.#journal.write({ e: "asked", id, name, wait, wall: Date.now() });
    const body = (run: Run): Promise<void> => this.#body(id, run, register, manager);
    const options = { wait, timeout: this.#chance() < 0.03 ? this.#between(15, 60) : 3_600_000 };
    const outcome = await (mode === "run" || mode === "force"
      ? manager.run(name, body, options).then(() => "completed")
      : this.#startAndEnd(manager, name, body, options)
    ).catch((error: unknown) => this.#codeOf(error));
    this.#journal.write({ e: "settled", id, outcome });
  }

  async #startAndEnd(
    manager: JobManager,
    name: string,
    body: (run: Run) => Promise<void>,
    options: { readonly wait: number; readonly timeout: number },
  ): Promise<string> {
    const run = await manager.start(name, options);
    try {
      await body(run);
    } catch (error) {
      await run.fail(error);
      throw error;
    }
    await run.end();
    return "completed";
  }

  async #body(id: string, run: Run, register: Register, manager: JobManager): Promise<void> {
    const { name, fence, signal } = run;
    const shape = this.#shape();
    this.#journal.write({ e: "enter", id, name, fence, held: shape.held, ...(signal.aborted && { told: true }) });
    const told = (): void => this.#journal.write({ e: "signal", id, code: this.#codeOf(signal.reason) });
    if (signal.aborted) told();
    else signal.addEventListener("abort", told, { once: true });
    if (shape.block) block(shape.ms);
    await this.#fencedWrite(run, shape, register, manager);
    await this.#take(shape, signal);
    // What did not obey writes late: it is the store that must refuse it.
    await this.#fencedWrite(run, shape, register, manager);
    this.#journal.write({ e: "exit", id });
    if (shape.fails) throw new BodyError();
  }

  async #take({ ms, obeys, block }: Shape, signal: AbortSignal): Promise<void> {
    if (block) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (!obeys) return;
      const stop = (): void => {
        clearTimeout(timer);
        resolve();
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** By the run, as a body should, or past it, as one that ignores everything might. */
  async #fencedWrite(run: Run, { obeys }: Shape, register: Register, manager: JobManager): Promise<void> {
    const { name, fence } = run;
    const put = { put: name, value: { fence } };
    const check = { check: ["lock", name], version: fence };
    try {
      const result = obeys
        ? await run.fenced(register, [put])
        : await manager.channels.locks.commitWith([check], register, [put]);
      this.#journal.write({ e: "write", name, fence, ok: result.ok, version: result.ok ? result.version : "" });
    } catch (error) {
      if (!isRunError(error)) this.#unexpected(error);
    }
  }

  #codeOf(error: unknown): string {
    if (error instanceof BodyError) return "failed";
    if (isRunError(error)) return error.code;
    if (isChannelError(error)) return `store:${error.code}`;
    this.#journal.write({ e: "error", text: error instanceof Error ? `${error.stack}` : String(error) });
    return "error";
  }

  /** A store that is away is no surprise. */
  #unexpected(error: unknown): void {
    if (isChannelError(error)) return;
    this.#journal.write({ e: "error", text: error instanceof Error ? `${error.stack}` : String(error) });
  }
}

class BodyError extends Error {}

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
