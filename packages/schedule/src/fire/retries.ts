import type { Key, PendingRetry } from "@ojm/core";
import { atMost, type Followed, inBackground } from "@ojm/core/internal";
import { GRACE } from "./job.js";
import type { Host, OwnSchedule } from "./start.js";

/** How often the attempts of other processes are checked, in ms: their process may have died. */
const CHECK_INTERVAL = 5_000;

/**
 * Every process, whatever its rank, checks an attempt that is overdue by this many ms. The process may own
 * the attempt without knowing it, because the answer to the commit that took it over was lost.
 */
const OVERDUE = 20_000;

/** How long a tick waits for due attempts, in ms. Then they are ahead of it in the queue of the lock. */
const ATTEMPT_WAIT = 1_000;

/** Wakes a resting worker. */
interface Worker {
  wake(): void;
  /** Whether it was woken while it was busy. */
  again: boolean;
}

/** An attempt that this process makes. */
interface Taken {
  readonly due: number;
  /** Resolves when its body begins, or when it can no longer begin. */
  readonly begun: Promise<void>;
}

/**
 * Makes the next attempts of runs whose process is gone, or which were handed over. It does so for the
 * schedules of which this process is the first member. As the second member, it makes only the attempts that
 * the first has not taken over in time. Their entries are in the channel of the locks.
 *
 * An attempt that is due comes before the next tick of its schedule.
 */
export class Retries implements Followed<unknown> {
  readonly #host: Host;
  /** The retry series of each name with a pending attempt, and when it is due. */
  readonly #pending: Map<string, Map<string, number>> = new Map();
  readonly #workers: Map<string, Worker> = new Map();
  /** The attempts of each name whose bodies have not begun. */
  readonly #taken: Map<string, Set<Taken>> = new Map();

  constructor(host: Host) {
    this.#host = host;
  }

  put(key: Key, value: unknown): void {
    const [, name = "", chain = ""] = key as readonly string[];
    const { due } = (value ?? {}) as { readonly due?: unknown };
    const chains = this.#pending.get(name) ?? new Map<string, number>();
    this.#pending.set(name, chains.set(chain, typeof due === "number" ? due : 0));
    this.begin(name);
  }

  gone(key: Key): void {
    const [, name = "", chain = ""] = key as readonly string[];
    const chains = this.#pending.get(name);
    chains?.delete(chain);
    if (chains?.size === 0) this.#pending.delete(name);
  }

  synced(): void {}

  /** Takes over the orphaned attempts of a schedule, until there are none. */
  begin(name: string): void {
    const worker = this.#workers.get(name);
    if (worker !== undefined) {
      // The worker may be resting, and this process may only now have become the first member.
      worker.again = true;
      worker.wake();
      return;
    }
    if (!this.#pending.has(name) || this.#host.own(name) === undefined || this.#host.closing.aborted) return;
    const begun: Worker = { wake() {}, again: false };
    this.#workers.set(name, begun);
    void inBackground(() => this.#work(name, begun)).finally(() => this.#workers.delete(name));
  }

  async #work(name: string, worker: Worker): Promise<void> {
    while (!this.#host.closing.aborted && this.#pending.has(name)) {
      const own = this.#host.own(name);
      if (own === undefined) return;
      worker.again = false;
      const isTaken = this.#mineIn(name) <= 0 && (await this.#takeOver(own)) !== undefined;
      if (!isTaken) await this.#rest(worker, this.#mineIn(name));
    }
  }

  /**
   * Takes over the due attempts of a schedule that no other process is making. Call it before a tick is run,
   * because the attempts come first. Resolves when their bodies have begun, or when they wait for the lock
   * ahead of the tick.
   */
  async first(own: OwnSchedule): Promise<void> {
    const { name, definition } = own;
    const { manager, store } = this.#host;
    // Watch events may be late, so read the store if there can be an attempt.
    if (definition.retry === undefined && !this.#pending.has(name)) return;
    const isDue = ({ due }: { readonly due: number }): boolean => due <= store.clock.now();
    while (!this.#host.closing.aborted && (await manager.orphanedRetries(name)).some(isDue)) {
      if ((await this.#takeOver(own)) === undefined) break;
    }
    const begun = [...(this.#taken.get(name) ?? [])].filter(isDue).map((taken) => taken.begun);
    if (begun.length > 0) await atMost(store.clock, ATTEMPT_WAIT, Promise.all(begun), false);
  }

  /** When it is this process's turn to make the attempts of a schedule, in ms from now; 0 or less: now. */
  #mineIn(name: string): number {
    const rank = this.#host.rank(name);
    if (rank === 0) return 0;
    // The first member may be dead, and still count as living for a while.
    const behind = rank === 1 ? GRACE : OVERDUE;
    return Math.min(...(this.#pending.get(name)?.values() ?? [])) + behind - this.#host.store.clock.now();
  }

  /**
   * Makes an attempt that no process makes, and all later ones of its retry series. Resolves to it as soon as
   * this process owns it; `undefined` if there was none.
   */
  #takeOver({ name, body }: OwnSchedule): Promise<PendingRetry | undefined> {
    return new Promise((resolve) => {
      let onBegun = (): void => {};
      const begun = new Promise<void>((done) => {
        onBegun = done;
      });
      const onTaken = (next: PendingRetry): void => {
        this.#remember(name, { due: next.due, begun });
        resolve(next);
      };
      // Never with a signal: cancelling a pending attempt would remove it.
      const { manager, runs: group } = this.#host;
      const noted: typeof body = (run) => {
        onBegun();
        return body(run);
      };
      const made = manager.takeOver(name, noted, { group, onTaken });
      const over = (): void => {
        onBegun();
        resolve(undefined);
      };
      // The error of a body is in its record. After one of the store, the next check tries again.
      made.then(over, over);
    });
  }

  #remember(name: string, taken: Taken): void {
    const all = this.#taken.get(name) ?? new Set();
    this.#taken.set(name, all.add(taken));
    void taken.begun.then(() => {
      all.delete(taken);
      if (all.size === 0 && this.#taken.get(name) === all) this.#taken.delete(name);
    });
  }

  async #rest(worker: Worker, left: number): Promise<void> {
    if (worker.again) return;
    const woken = new Promise<void>((resolve) => {
      worker.wake = resolve;
    });
    const ms = left > 0 ? Math.min(left, CHECK_INTERVAL) : CHECK_INTERVAL;
    await atMost(this.#host.store.clock, ms, woken, false);
    worker.wake = () => {};
  }
}
