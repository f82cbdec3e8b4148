import type { Change, Channel, Follower } from "../channel/channel.js";
import type { Version } from "../channel/types.js";
import { compareVersions } from "../channel/version.js";
import type { Clock } from "../clock.js";
import type { LockView } from "./attempt.js";
import { type LocksValue, lockKey, queueKey } from "./entries.js";

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
  readonly #current: { lock: Seen | undefined; queue: Seen | undefined } = { lock: undefined, queue: undefined };
  readonly #channel: Channel<LocksValue>;
  readonly #name: string;
  readonly #clock: Clock;
  /** Whether the view was read since the store began to tell what changes. */
  #synced = false;
  /** The newest version of each that is known. */
  readonly #versions: Record<keyof LockView, Version> = { lock: "0", queue: "0" };
  /** Counts what was told. */
  readonly #told: Record<keyof LockView, number> = { lock: 0, queue: 0 };
  #changed = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(channel: Channel<LocksValue>, name: string, clock: Clock, signal: AbortSignal) {
    this.#channel = channel;
    this.#name = name;
    this.#clock = clock;
    signal.addEventListener("abort", () => this.#notify(), { once: true });
    if (channel.supports.watch) this.#follow(signal).catch((error: unknown) => this.#fail(error));
  }

  /** What stands there, as far as it is known. */
  get view(): LockView {
    const { lock, queue } = this.#current;
    return { lock: lock?.() as LockView["lock"], queue: queue?.() as LockView["queue"] };
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const followed = [
      this.#channel.follow(lockKey(this.#name), this.#follower("lock")),
      this.#channel.follow(queueKey(this.#name), this.#follower("queue")),
    ];
    signal.addEventListener("abort", () => followed.forEach(({ stop }) => void stop()), { once: true });
    await Promise.all(followed.map(({ ready }) => ready));
    await this.refresh();
    this.#synced = true;
    this.#notify();
  }

  #follower(what: keyof LockView): Follower<LocksValue> {
    return {
      changed: (change) => this.#set(what, change),
      gap: () =>
        this.refresh()
          .then(() => this.#notify())
          .catch((error: unknown) => this.#fail(error)),
      failed: (error) => this.#fail(error),
    };
  }

  #set(what: keyof LockView, change: Change<LocksValue>): void {
    this.#told[what]++;
    // What was read may be ahead of what is told.
    if (compareVersions(change.version, this.#versions[what]) <= 0) return;
    this.#versions[what] = change.version;
    this.#current[what] = change.deleted ? undefined : seen(change);
    // As long as somebody holds the lock it is nobody's turn: of the changes that many waiters cause, most wake none, and none is decoded.
    if (this.#synced && this.#current.lock === undefined) this.#notify();
  }

  #fail(error: unknown): void {
    this.#error = error;
    this.#notify();
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
    const { lock, queue } = this.#told;
    const read = await readView(this.#channel, this.#name);
    // What was told meanwhile may be newer than what was read; if it is older, something newer will be told.
    if (this.#told.lock === lock) this.#read("lock", read.lock);
    if (this.#told.queue === queue) this.#read("queue", read.queue);
  }

  #read(what: keyof LockView, entry: LockView["lock"] | LockView["queue"]): void {
    this.#current[what] = entry && (() => entry);
    if (entry !== undefined) this.#versions[what] = entry.version;
  }
}

/** What is known of an entry, decoded when it is first asked for. */
type Seen = () => { readonly value: LocksValue; readonly version: Version };

function seen(change: Change<LocksValue>): Seen {
  let decoded: ReturnType<Seen> | undefined;
  return () => {
    decoded ??= { value: change.value() as LocksValue, version: change.version };
    return decoded;
  };
}
