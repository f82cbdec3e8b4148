import { type Channel, isChannelError, isRunError, type JobManager, type Run, type RunOptions } from "@ojm/core";
import { PERMITS, RATE } from "../scene/jobs.js";
import { CLEANING, isClosing } from "./closing.js";
import { sleep } from "./sleep.js";
import { HOUR, Traffic } from "./traffic.js";

/** A body may outlast its session only if it takes less than this, in ms: it must not delay the cell. */
const LONGEST = 6_000;

/** How long the modes `wait`, `permit` and `rate` wait, in ms; `run` waits as by default. */
const PATIENCE = 20_000;

/** The behaviour of a body. */
interface Shape {
  readonly ms: number;
  readonly obeys: boolean;
  /** Whether it writes without its run, checked by its fence alone. */
  readonly past: boolean;
  readonly fails: boolean;
  readonly block: boolean;
  readonly held: boolean;
}

/** A run in progress, and how long it may take, in ms. */
interface OwnRun {
  readonly id: string;
  readonly run: Run;
  readonly timeout: number;
}

/** The register that bodies write to under their fence. */
export type Register = Channel<{ readonly fence: string }>;

/** Runs jobs one after the other until it is stopped. */
export class Work extends Traffic {
  #runs = 0;

  /** Runs jobs until it is stopped. Resolves once its last run is settled. */
  async loop(manager: JobManager, register: Register): Promise<void> {
    while (!this.stopped) {
      await this.#oneRun(manager, register);
      await sleep(this.between(0, this.config.mode === "try" ? 15 : 5));
    }
  }

  /** Requests several runs in one turn. Resolves once all are settled. */
  async burst(manager: JobManager, register: Register, runs: number): Promise<void> {
    await Promise.all(Array.from({ length: runs }, () => this.#oneRun(manager, register)));
    this.journal.write({ e: "burst" });
  }

  /** Forces an unlock now and then, until it is stopped. */
  async unlock(manager: JobManager): Promise<void> {
    while (!this.stopped) {
      await sleep(this.between(100, 400));
      const name = this.oneOf(this.config.names);
      this.journal.write({ e: "unlocking", name });
      try {
        const { unlocked, run } = await manager.unlock(name, { reason: "torture" });
        this.journal.write({ e: "unlocked", name, taken: unlocked, ...(unlocked && run && { fence: run.fence }) });
      } catch (error) {
        this.unexpected(error);
        this.journal.write({ e: "unlocked", name, taken: "unknown" });
      }
    }
  }

  #shape(timeout: number): Shape {
    const past = this.chance() < 0.5;
    // Only a run without a timeout takes an order: a timeout would end the body before the fault does.
    const order = timeout === HOUR ? this.orders.shift() : undefined;
    if (order !== undefined) return { ...order, past, fails: false, held: true };
    const long = this.chance() < 0.02 && 1.3 * this.config.ttl < LONGEST;
    const ms = long ? 1.3 * this.config.ttl : this.between(5, 50);
    return { ms, obeys: this.chance() < 0.85, past, fails: this.chance() < 0.05, block: false, held: false };
  }

  /** Where nothing else ends a lease by itself, timeouts are more frequent: only they make signals fire. */
  #timeout(): number {
    const { plain, managers } = this.config;
    return this.chance() < (plain || managers > 1 ? 0.15 : 0.03) ? this.between(10, 45) : HOUR;
  }

  async #oneRun(manager: JobManager, register: Register): Promise<void> {
    const { index, mode } = this.config;
    const id = `${index}.${++this.#runs}`;
    const name = this.oneOf(this.config.names);
    const wait = mode === "try" ? 0 : ["wait", "permit", "rate"].includes(mode) ? PATIENCE : 2_500;
    this.journal.write({ e: "asked", id, name, wait, wall: Date.now() });
    const limits = { ...(mode === "permit" && { permits: PERMITS }), ...(mode === "rate" && { rate: RATE }) };
    const options = { wait, timeout: this.#timeout(), ...limits };
    const body = (run: Run): Promise<void> => this.#body({ id, run, timeout: options.timeout }, register, manager);
    const ran =
      mode === "try" || mode === "wait"
        ? this.#startAndEnd(manager, name, body, options)
        : manager.run(name, body, options);
    const settled = await ran.then(
      () => ({ outcome: "completed" }),
      (error: unknown) => ({ outcome: this.#codeOf(error), ...whyOf(error) }),
    );
    this.journal.write({ e: "settled", id, ...settled });
  }

  async #startAndEnd(
    manager: JobManager,
    name: string,
    body: (run: Run) => Promise<void>,
    options: Pick<RunOptions, "wait" | "timeout" | "permits" | "rate">,
  ): Promise<void> {
    const run = await manager.start(name, options);
    try {
      await body(run);
    } catch (error) {
      await run.fail(error);
      throw error;
    }
    await run.end();
  }

  async #body({ id, run, timeout }: OwnRun, register: Register, manager: JobManager): Promise<void> {
    const { name, fence, signal } = run;
    const shape = this.#shape(timeout);
    const { held } = shape;
    this.journal.write({ e: "enter", id, name, fence, held, timeout, ...(signal.aborted && { signalled: true }) });
    const onSignal = (): void => {
      this.journal.write({ e: "signal", id, code: this.#codeOf(signal.reason), ...whyOf(signal.reason) });
    };
    if (signal.aborted) onSignal();
    else signal.addEventListener("abort", onSignal, { once: true });
    // A blocked body ends before a signal can reach it: the store must refuse its end.
    if (shape.block) this.compute(id, shape.ms);
    else await this.#writeAndTake(run, shape, register, manager);
    const closing = shape.obeys && isClosing(signal);
    if (closing) await sleep(this.between(...CLEANING));
    this.journal.write({ e: "exit", id });
    if (closing && this.chance() < 0.5) throw signal.reason;
    if (shape.fails) throw new BodyError();
  }

  async #writeAndTake(run: Run, shape: Shape, register: Register, manager: JobManager): Promise<void> {
    await this.#fencedWrite(run, shape, register, manager);
    await this.take(shape.ms, run.signal, shape.obeys);
    // A body that ignores its signal writes late: the store must refuse that write.
    await this.#fencedWrite(run, shape, register, manager);
  }

  /**
   * Writes under the fence: through the run, as a body should, or without it, as one that ignores everything
   * might.
   */
  async #fencedWrite(run: Run, { obeys, past }: Shape, register: Register, manager: JobManager): Promise<void> {
    const { name, fence } = run;
    const put = { put: name, value: { fence } };
    const check = { check: ["lock", name], version: fence };
    try {
      const result =
        !obeys && past
          ? await manager.channels.locks.commitWith([check], [{ channel: register, ops: [put] }])
          : await run.fenced(register, [put]);
      this.journal.write({ e: "write", name, fence, ok: result.ok, version: result.ok ? result.version : "" });
    } catch (error) {
      if (isRunError(error)) this.journal.write({ e: "write", name, fence, ok: false, version: "" });
      else this.unexpected(error);
    }
  }

  #codeOf(error: unknown): string {
    if (error instanceof BodyError) return "failed";
    if (isRunError(error)) return error.code;
    this.unexpected(error);
    return isChannelError(error) ? `store:${error.code}` : "error";
  }
}

class BodyError extends Error {}

/** The text of an error of a run, for the journal. "LOCKED" needs no more words: most callers get it. */
function whyOf(error: unknown): { readonly why?: string } {
  return isRunError(error) && error.code !== "LOCKED" ? { why: error.message } : {};
}
