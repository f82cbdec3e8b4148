import { isChannelError, type JobManager } from "@ojm/core";
import type { Order, WorkerConfig } from "../scene/events.js";
import { hostTime } from "../scene/time.js";
import type { Journal } from "./journal.js";

/** The timeout of a run that may take as long as it likes, in ms: the default of a job. */
export const HOUR = 3_600_000;

type Hold = Order & { readonly order: "hold" };

/** The parts that all traffic of a worker has: its journal, its chance, and the orders of the harness. */
export abstract class Traffic {
  protected readonly config: WorkerConfig;
  protected readonly journal: Journal;
  protected readonly chance: () => number;
  /** The orders for the next bodies. */
  protected readonly orders: Hold[] = [];
  protected stopped = false;

  constructor(config: WorkerConfig, journal: Journal, chance: () => number) {
    this.config = config;
    this.journal = journal;
    this.chance = chance;
  }

  hold(order: Hold): void {
    this.orders.push(order);
  }

  stop(): void {
    this.stopped = true;
  }

  protected between(low: number, high: number): number {
    return low + this.chance() * (high - low);
  }

  protected oneOf(names: readonly string[]): string {
    return names[Math.floor(this.chance() * names.length)] ?? "";
  }

  /** Blocks the event loop: no signal reaches the body meanwhile. */
  protected compute(id: string, ms: number): void {
    const from = hostTime();
    while (hostTime() < from + ms);
    this.journal.write({ e: "computed", id, from, to: hostTime() });
  }

  /** Rests; a body that `obeys` stops when its signal fires. */
  protected async take(ms: number, signal: AbortSignal, obeys: boolean): Promise<void> {
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

  /** Writes an error to the journal. Whether an error of the store is a violation depends on the fault. */
  protected unexpected(error: unknown): void {
    if (isChannelError(error)) this.journal.write({ e: "trouble", code: error.code, text: error.message });
    else this.journal.write({ e: "error", text: error instanceof Error ? `${error.stack}` : String(error) });
  }
}

/** Traffic beside the plain runs of a worker. */
export abstract class OwnTraffic extends Traffic {
  #working: Promise<unknown> = Promise.resolve();

  /** Begins its work with these managers, until it is stopped. */
  begin(managers: readonly JobManager[]): void {
    this.#working = this.work(managers);
  }

  protected abstract work(managers: readonly JobManager[]): Promise<unknown>;

  /** Whether a call may fail like that while others run, cancel, hold and pause. */
  protected abstract isExpected(error: unknown): boolean;

  /** Resolves once nothing is running. */
  get settled(): Promise<unknown> {
    return this.#working;
  }

  /** A call that others or the store make fail is not an error. `rethrows`: throws it, too. */
  protected async quietly(work: () => Promise<unknown>, rethrows = false): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.isExpected(error)) this.unexpected(error);
      if (rethrows) throw error;
    }
  }
}
