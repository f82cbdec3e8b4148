import type { Channel } from "../channel/channel.js";
import type { Clock } from "../clock.js";
import { FREE, type LockView } from "./attempt.js";
import { type LocksValue, type LockValue, lockKey, type QueueValue, queueKey } from "./entries.js";

/** Reads what stands under a lock's name. */
export async function readView(channel: Channel<LocksValue>, name: string): Promise<LockView> {
  const [lock, queue] = await Promise.all([channel.entry(lockKey(name)), channel.entry(queueKey(name))]);
  return {
    lock: lock as NonNullable<LockView["lock"]> | undefined,
    queue: queue as NonNullable<LockView["queue"]> | undefined,
  };
}

/** Keeps what stands under a lock's name before the eyes of one who waits for it. */
export class ViewWatch {
  view: LockView = FREE;
  readonly #channel: Channel<LocksValue>;
  readonly #name: string;
  readonly #clock: Clock;
  #synced = false;
  #changed = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(channel: Channel<LocksValue>, name: string, clock: Clock, signal: AbortSignal) {
    this.#channel = channel;
    this.#name = name;
    this.#clock = clock;
    signal.addEventListener("abort", () => this.#notify(), { once: true });
    if (channel.supports.watch) {
      this.#follow(signal).catch((error: unknown) => {
        this.#error = error;
        this.#notify();
      });
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const event of this.#channel.watch({ prefix: lockKey(this.#name), signal })) {
      if (event.type === "gap") this.#reset();
      else if (event.type === "synced") this.#synced = true;
      else if (event.type === "put") this.#set(event.entry.key, event.entry);
      else this.#set(event.key, undefined);
      if (this.#synced) this.#notify();
    }
  }

  #reset(): void {
    this.#synced = false;
    this.view = FREE;
  }

  #set(key: unknown, entry: { readonly value: LocksValue; readonly version: string } | undefined): void {
    const isQueue = Array.isArray(key) && key.length === 3;
    this.view = isQueue
      ? { ...this.view, queue: entry as { value: QueueValue; version: string } | undefined }
      : { ...this.view, lock: entry as { value: LockValue; version: string } | undefined };
  }

  #notify(): void {
    this.#changed = true;
    this.#wake?.();
  }

  /**
   * Resolves when something changed, to true, or after `ms`, to false. Throws if the watch failed for good.
   */
  async change(ms: number): Promise<boolean> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(ms, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const changed = this.#changed;
    this.#changed = false;
    if (this.#error !== undefined) throw this.#error;
    return changed;
  }

  /** Looks for itself. The fallback for notices that a store may lose. */
  async refresh(): Promise<void> {
    this.view = await readView(this.#channel, this.#name);
  }
}
