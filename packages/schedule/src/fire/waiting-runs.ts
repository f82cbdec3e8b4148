import { type HeldLock, isChannelError, isRunError, parseRunId } from "@ojm/core";
import { runIdOf } from "@ojm/core/internal";
import { stopped } from "../decide/decide.js";
import { cursorAt } from "../decide/outcomes.js";
import { policiesOf } from "../definition/types.js";
import type { Stored } from "../store/store.js";
import { Changed, type Plan, Taken, TickClaim } from "./claim.js";
import { AGAIN, type Host, LOCK_WAIT, type OwnSchedule, startTick } from "./start.js";

/** The callbacks that waiting ticks need from their job. */
export interface WaitingHost {
  /** The content of the store, as far as this process knows it; `undefined` if it must be read. */
  stored(): Promise<Stored | undefined>;
  /** Called with the content of the store. */
  found(stored: Stored | undefined): void;
  /** Called with the cursor after a run was started. */
  moved(cursor: Stored["cursor"]): void;
  /** Called if the first waiting tick has its outcome already. */
  taken(stored: Stored, plan: Plan): Promise<void>;
}

/** Runs the waiting ticks, one after the other, in their order, whenever the lock is free. */
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

  /** Begins, unless it is already running. */
  begin(): void {
    if (this.#stop !== undefined) return;
    const stop = new AbortController();
    this.#stop = stop;
    void this.#runAll(stop.signal).finally(() => {
      if (this.#stop === stop) this.#stop = undefined;
    });
  }

  /** Starts no further run. An active one continues. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
  }

  async #runAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const stored = await this.#job.stored();
        if (stored === undefined || this.#plan(stored) === undefined) return;
        await this.#host.attemptsFirst(this.#own);
        if (signal.aborted) return;
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
    const { overlap } = policiesOf(this.#own.definition);
    const replaced = overlap === "replace" && (await this.#attempt(stored, 0, signal));
    // The run that holds the lock was requested to stop: this one is the next.
    if (overlap !== "replace" || replaced) await this.#attempt(stored, LOCK_WAIT, signal);
  }

  /** Resolves to whether the lock was held. */
  async #attempt(stored: Stored, wait: number, signal: AbortSignal): Promise<boolean> {
    const plan = (found: Stored): Plan | undefined => this.#plan(found);
    // A pause or a blackout may have begun since the last plan.
    const planned = plan(stored);
    if (planned === undefined) throw new Changed();
    const claim = new TickClaim(this.#host.store, stored, planned, plan);
    try {
      const { version } = await startTick(this.#host, this.#own, claim, { wait, signal });
      this.#job.moved({ value: claim.planned.cursor, version });
      return false;
    } catch (error) {
      this.#job.found(claim.stored);
      const first = this.#plan(claim.stored);
      if (error instanceof Taken && first !== undefined) {
        await this.#job.taken(claim.stored, first);
        return false;
      }
      if (wait > 0 || !isRunError(error) || error.code !== "LOCKED" || first === undefined) throw error;
      await this.#replace(error.held, first.at);
      return true;
    }
  }

  /** Requests the run that holds the lock to stop, by its id: another run may have the lock by then. */
  async #replace(held: HeldLock | undefined, at: number): Promise<void> {
    const id = held && runIdOf(held);
    // The run of another job may have the lock of this name.
    if (id === undefined || parseRunId(id)?.name !== this.#own.name) return;
    const reason = `replaced by its tick of ${new Date(at).toISOString()}`;
    await this.#host.manager.cancel(id, { reason, audited: false, wait: 0 });
  }

  #plan({ schedule: { value: schedule }, cursor: { value: cursor } }: Stored): Plan | undefined {
    const [at, ...rest] = cursor.waiting ?? [];
    if (at === undefined || schedule.hash !== this.#own.hash) return undefined;
    const { clock, maintenance } = this.#host.store;
    const isStopped = maintenance.of(this.#own.name) !== undefined || stopped({ schedule }, clock.now()) !== undefined;
    return isStopped ? undefined : { at, cursor: cursorAt(cursor, cursor.at, rest) };
  }
}
