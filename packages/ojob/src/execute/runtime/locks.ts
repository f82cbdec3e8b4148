import { type Channel, type Clock, isLockError, type Lease, type Locks, openLocks, type RunOptions } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import type { Taking, TypeArgs } from "../../load/job-file.js";
import { LOCKS } from "../../plan/manager/manager-args.js";
import { JobError } from "./job-error.js";
import type { Managers } from "./managers.js";
import type { ScriptChannels } from "./script-channels.js";
import { closeAll } from "./settle.js";

/** A year, in ms. Neither a job nor the wait for its lock has a limit of its own; both can be stopped. */
export const UNLIMITED: number = 365 * 86_400_000;

/** The options of a run that waits for its permits and its rate as long as it takes. */
export function takingOptions(taking: Taking): Pick<RunOptions, "permits" | "rate" | "permitWait"> {
  return Object.keys(taking).length === 0 ? {} : { ...taking, permitWait: UNLIMITED };
}

/** The locks of `typeArgs.lock`: those of the job manager, or those in a channel of `typeArgs.lockCh`. */
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

  async take(name: string, channel: string, signal: AbortSignal): Promise<Lease> {
    const options = { wait: UNLIMITED, timeout: UNLIMITED, signal };
    const locks = channel === LOCKS ? undefined : await this.#in(channel);
    try {
      if (locks !== undefined) return await locks.acquire(name, options);
      return await (await this.#managers.get()).lock(name, options);
    } catch (error) {
      if (signal.aborted) throw new JobError((signal.reason as Error).message, { failure: signal.reason });
      if (!isLockError(error)) throw error;
      throw new JobError(`Can't lock to execute job '${name}': ${error.message}`, { cause: error });
    }
  }

  /** Waits up to `wait` ms for a lock of the job manager. `undefined` if another holder has it. */
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

interface Held {
  readonly lease: Lease;
  /** Ends the timer of the timeout that a script set. */
  lift: () => void;
}

/** The locks that a job holds until it ends: those of `typeArgs.lock`, and those that its scripts took. */
export class HeldLocks {
  readonly #parent: HeldLocks | undefined;
  readonly #onLost: (reason: Error) => void;
  readonly #held = new Map<string, Held>();

  constructor(onLost: (reason: Error) => void, parent?: HeldLocks) {
    this.#onLost = onLost;
    this.#parent = parent;
  }

  /** Takes the job's lock, unless this job or a caller holds it: it would wait for itself. */
  async take({ lock, lockCh = LOCKS }: TypeArgs, locks: JobLocks, signal: AbortSignal): Promise<void> {
    if (lock === undefined || this.#of(lock, lockCh) !== undefined) return;
    this.#add(lock, lockCh, await locks.take(lock, lockCh, signal));
  }

  /** Takes a lock of the job manager for a script. Returns whether it has the lock. */
  async takeFor(name: string, locks: JobLocks, options: { wait: number; signal: AbortSignal }): Promise<boolean> {
    if (this.#of(name, LOCKS) !== undefined) return false;
    const lease = await locks.attempt(name, options);
    if (lease !== undefined) this.#add(name, LOCKS, lease);
    return lease !== undefined;
  }

  /** Ends the job after this time if it still holds the lock. False if it does not hold the lock. */
  limit(name: string, timeout: number, clock: Clock): boolean {
    const holder = this.#of(name, LOCKS);
    const held = holder === undefined ? undefined : holder.#held.get(keyOf(name, LOCKS));
    if (holder === undefined || held === undefined) return false;
    held.lift();
    // The lock stays held until the job has ended: two jobs must not work under it.
    const end = (): void =>
      holder.#onLost(
        new JobError(`it held the lock "${name}" for longer than its timeout of ${durationText(timeout)}`),
      );
    held.lift = clock.after(timeout, end, true);
    return true;
  }

  /** Releases one lock of this job, or of one that called it. False if none of them holds it. */
  async give(name: string): Promise<boolean> {
    const holder = this.#of(name, LOCKS);
    const held = holder === undefined ? undefined : holder.#held.get(keyOf(name, LOCKS));
    if (holder === undefined || held === undefined) return false;
    holder.#held.delete(keyOf(name, LOCKS));
    held.lift();
    await held.lease.release();
    return true;
  }

  async release(): Promise<void> {
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const { lease, lift } of held) {
      lift();
      await lease.release();
    }
  }

  #add(lock: string, channel: string, lease: Lease): void {
    this.#held.set(keyOf(lock, channel), { lease, lift: () => {} });
    lease.signal.addEventListener("abort", () => this.#onLost(lease.signal.reason as Error));
  }

  #of(lock: string, channel: string): HeldLocks | undefined {
    if (this.#held.has(keyOf(lock, channel))) return this;
    return this.#parent === undefined ? undefined : this.#parent.#of(lock, channel);
  }
}

function keyOf(lock: string, channel: string): string {
  return JSON.stringify([channel, lock]);
}
