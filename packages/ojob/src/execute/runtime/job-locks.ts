import { type Channel, type Clock, isLockError, type Lease, type Locks, openLocks } from "@ojm/core";
import { closeAll } from "./close-all.js";
import { JobError } from "./job-error.js";
import type { Managers } from "./managers.js";
import { LOCKS, type ScriptChannels } from "./script-channels.js";

/** A year, in ms. Neither a job nor the wait for its lock has a limit of its own; both can be stopped. */
const UNLIMITED = 365 * 86_400_000;

/**
 * The locks that `typeArgs.lock` names: those of the job manager, or those in a channel of `typeArgs.lockCh`.
 */
export class JobLocks {
  readonly #managers: Managers;
  readonly #channels: ScriptChannels;
  readonly #clock: Clock;
  readonly #others = new Map<string, Promise<Locks>>();

  constructor(managers: Managers, channels: ScriptChannels, clock: Clock) {
    this.#clock = clock;
    this.#managers = managers;
    this.#channels = channels;
  }

  /** Waits for a lock until `signal` fires. */
  async take(name: string, channel: string, signal: AbortSignal): Promise<Lease> {
    const options = { wait: UNLIMITED, timeout: UNLIMITED, signal };
    const locks = channel === LOCKS ? undefined : await this.#in(channel);
    try {
      return await (locks === undefined
        ? (await this.#managers.get()).lock(name, options)
        : locks.acquire(name, options));
    } catch (error) {
      if (signal.aborted) throw new JobError((signal.reason as Error).message, { failure: signal.reason });
      if (!isLockError(error)) throw error;
      throw new JobError(`Can't lock to execute job '${name}': ${error.message}`, { cause: error });
    }
  }

  /**
   * Waits for a lock of the job manager, and not for longer than `wait` ms. `undefined` if another holds
   * it.
   */
  async attempt(name: string, { wait, signal }: { wait: number; signal: AbortSignal }): Promise<Lease | undefined> {
    try {
      return await (await this.#managers.get()).lock(name, { wait, timeout: UNLIMITED, signal });
    } catch (error) {
      if (isLockError(error) && error.code === "LOCKED" && !signal.aborted) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await closeAll(this.#others.values());
  }

  #in(channel: string): Promise<Locks> {
    const opening =
      this.#others.get(channel) ??
      this.#channels.channel(channel).then((open) => openLocks(open as Channel<unknown>, { clock: this.#clock }));
    this.#others.set(channel, opening);
    opening.catch(() => this.#others.delete(channel));
    return opening;
  }
}
