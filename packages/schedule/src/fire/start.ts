import { isRunError, type Run, type RunOptions, type Version } from "@ojm/core";
import type { Stored } from "../store/store.js";
import { Changed, type Plan, TickClaim } from "./claim.js";
import type { Host, OwnSchedule } from "./host.js";

/** A run that was started for a tick. */
export interface Started {
  readonly cursor: Stored["cursor"];
  /** Resolves when the run has completed, and rejects as `JobManager.run` does. */
  readonly ended: Promise<unknown>;
}

/** How to start a run. */
export interface StartOptions {
  /** How long to wait for the lock, in ms. */
  readonly wait: number;
  /** Ends the wait for the lock; a run that was started goes on. */
  readonly signal?: AbortSignal;
  /** Told what the store has, whenever it was found to have changed. */
  onStored(stored: Stored): void;
}

/**
 * Starts the run of a tick, and resolves once its claim is in the store.
 *
 * @throws Changed, Taken; RunError `LOCKED`; ChannelError if the store fails
 */
export async function startTick(
  host: Host,
  own: OwnSchedule,
  stored: Stored,
  plan: (stored: Stored) => Plan | undefined,
  { wait, signal, onStored }: StartOptions,
): Promise<Started> {
  const { manager, store } = host;
  const claim = new TickClaim(store, stored, plan);
  const waiting = new AbortController();
  const stop = (): void => waiting.abort();
  signal?.addEventListener("abort", stop, { once: true });
  let ended: Promise<unknown> = Promise.resolve();
  try {
    const fence = await new Promise<Version>((resolve, reject) => {
      const body = (run: Run): unknown => {
        signal?.removeEventListener("abort", stop);
        resolve(run.fence);
        host.tell(own.name, [{ at: claim.tick.at, value: { outcome: "run", run: run.id } }]);
        return own.body(run);
      };
      ended = manager.run(own.name, body, { ...optionsOf(own), wait, claim, signal: waiting.signal });
      // If the body never began, nobody knows whether the claim was written: the store is read again.
      ended.then(() => reject(new Changed()), reject);
      host.onRun(ended);
    });
    return { cursor: { value: claim.planned.cursor, version: fence }, ended };
  } catch (error) {
    onStored(claim.stored);
    if (signal?.aborted === true && isRunError(error) && error.code === "CANCELLED") throw new Changed();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function optionsOf({ definition: { timeout, meta } }: OwnSchedule): RunOptions {
  return {
    trigger: "schedule",
    ...(timeout === undefined ? {} : { timeout }),
    ...(meta === undefined ? {} : { meta }),
  };
}
