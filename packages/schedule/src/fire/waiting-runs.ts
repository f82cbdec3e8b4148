import { isChannelError, isRunError } from "@ojm/core";
import { stopped } from "../decide/decide.js";
import { cursorAt } from "../decide/outcomes.js";
import type { Stored } from "../store/store.js";
import { Changed, type Plan, Taken } from "./claim.js";
import type { Host, OwnSchedule } from "./host.js";
import { startTick } from "./start.js";

/** How long one attempt waits for the lock, in ms. Then comes the next one. */
const WAIT = 3_600_000;

/** The pause after a call that failed, in ms. */
const AGAIN = 2_000;

/** What the ticks that wait need of their job. */
export interface WaitingHost {
  /** What is in the store, as far as this process knows; `undefined` if it must be read. */
  stored(): Promise<Stored | undefined>;
  /** What was found in the store. */
  found(stored: Stored | undefined): void;
  /** The cursor after a run was started. */
  moved(cursor: Stored["cursor"]): void;
  /** The first tick that waits has its outcome already. */
  taken(stored: Stored, plan: Plan): Promise<void>;
}

/** Runs the ticks that wait, one after the other, in their order, whenever the lock is free. */
export class WaitingRuns {
  readonly #host: Host;
  readonly #own: OwnSchedule;
  readonly #job: WaitingHost;
  #stop: AbortController | undefined;

  constructor(host: Host, own: OwnSchedule, job: WaitingHost) {
    this.#host = host;
    this.#own = own;
    this.#job = job;
  }

  /** Begins, unless it is at it. */
  begin(): void {
    if (this.#stop !== undefined) return;
    const stop = new AbortController();
    this.#stop = stop;
    void this.#runAll(stop.signal).finally(() => {
      if (this.#stop === stop) this.#stop = undefined;
    });
  }

  /** Starts no further run. The one that was started goes on. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
  }

  async #runAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const stored = await this.#job.stored();
        if (stored === undefined || this.#plan(stored) === undefined) return;
        await this.#runFirst(stored, signal);
      } catch (error) {
        this.#job.found(undefined);
        if (isRunError(error) || error instanceof Changed) continue;
        if (!isChannelError(error)) throw error;
        await new Promise<void>((resolve) => void this.#host.store.clock.after(AGAIN, resolve));
      }
    }
  }

  async #runFirst(stored: Stored, signal: AbortSignal): Promise<void> {
    let latest = stored;
    const onStored = (found: Stored): void => {
      latest = found;
      this.#job.found(found);
    };
    const plan = (found: Stored): Plan | undefined => this.#plan(found);
    try {
      const started = await startTick(this.#host, this.#own, stored, plan, { wait: WAIT, signal, onStored });
      this.#job.moved(started.cursor);
      await started.ended.catch(() => {});
    } catch (error) {
      const first = this.#plan(latest);
      if (!(error instanceof Taken) || first === undefined) throw error;
      await this.#job.taken(latest, first);
    }
  }

  #plan({ schedule, cursor }: Stored): Plan | undefined {
    const { store, began } = this.#host;
    const [at, ...rest] = cursor.value.waiting ?? [];
    if (at === undefined || schedule.value.hash !== this.#own.hash) return undefined;
    const now = store.clock.now();
    const state = { schedule: schedule.value, cursor: cursor.value, now, began };
    return stopped(state, now) === undefined ? { at, cursor: cursorAt(cursor.value.at, rest) } : undefined;
  }
}
