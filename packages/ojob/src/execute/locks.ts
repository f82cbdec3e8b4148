import { type Clock, isLockError, type Lease, Locks } from "@ojm/core";
import { LOCKS, type ScriptChannels } from "./channels.js";
import { closeAll } from "./close-all.js";
import { JobError } from "./error.js";
import type { Managers } from "./managers.js";

/** A job may take its time, and so may those that wait for its lock; both can be told to stop. A year, in ms. */
const UNLIMITED = 365 * 86_400_000;

/** The locks that `typeArgs.lock` names: among those of the job manager, or in a channel of their own. */
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

  async close(): Promise<void> {
    await closeAll(this.#others.values());
  }

  #in(channel: string): Promise<Locks> {
    const opening =
      this.#others.get(channel) ??
      this.#channels
        .channel(channel)
        .then((open) => new Locks(open as unknown as Locks["channel"], { clock: this.#clock }));
    this.#others.set(channel, opening);
    opening.catch(() => this.#others.delete(channel));
    return opening;
  }
}
