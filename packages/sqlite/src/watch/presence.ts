import { isChannelError, type KeyRange } from "@ojm/core/backend";
import type { CommitQueue } from "../store/commit-queue.js";
import type { WriteTransaction } from "../store/transaction.js";
import type { Interests } from "./interests.js";
import { Wakeup } from "./wakeup.js";
import { LEASE, type Watchers } from "./watchers.js";

/**
 * How long a process stays in the table after its last watch, in ms. A process that takes a lock every second
 * would otherwise enter and leave each time, and check each time which watchers live.
 */
const LINGER = 2_000;

interface Wanted {
  readonly range: KeyRange;
  count: number;
}

type Ranges = ReadonlyMap<string, KeyRange>;

/** What a transaction has written. It takes effect once the transaction is committed. */
interface Staged {
  readonly id: number;
  readonly ranges: Ranges;
  readonly logged: number;
}

/** The callbacks of a {@link Presence}. */
export interface PresenceEvents {
  /** Called when there may be changes. */
  wake(): void;
  /** This process is in the table. The log ends at `logged`. `again`: another had taken it for dead. */
  entered(logged: number, again: boolean): void;
  /** Another process took this one for dead, and this one could not enter again. */
  failed(error: unknown): void;
}

/** The parts of the store that a presence uses. */
export interface PresenceStore {
  readonly file: string;
  readonly queue: CommitQueue;
  readonly watchers: Watchers;
  readonly interests: Interests;
}

const NOTHING: Ranges = new Map();

function nameOf({ from, to }: KeyRange): string {
  return `${from.length} ${from}${to}`;
}

/**
 * This process in the tables `watchers` and `watched`.
 *
 * A change of its watches takes effect here at once. The next write transaction, whatever it is for, updates
 * the tables. Only the start of a watch requests a transaction: the end of a watch can wait.
 */
export class Presence {
  readonly #store: PresenceStore;
  readonly #events: PresenceEvents;
  readonly #wakeup: Wakeup;
  readonly #wanted = new Map<string, Wanted>();
  /** The ranges of this process in the table `watched`. */
  #ranges: Ranges = NOTHING;
  #staged: Staged | undefined;
  /** Whether the tables differ from the current watches. */
  #behind = false;
  /** Whether another process took this one for dead. */
  #lost = false;
  #id = 0;
  #renewAt = 0;
  #leaveAt = Number.POSITIVE_INFINITY;

  constructor(store: PresenceStore, events: PresenceEvents) {
    this.#store = store;
    this.#events = events;
    this.#wakeup = new Wakeup(store.file, { wake: () => events.wake(), poll: () => this.#poll() });
  }

  /** The row of this process in `watchers`; 0 if there is none. */
  get id(): number {
    return this.#id;
  }

  /** Resolves once later commits to the range are logged and wake us. End it by {@link drop} in any case. */
  async want(range: KeyRange): Promise<void> {
    const name = nameOf(range);
    const wanted = this.#wanted.get(name) ?? { range, count: 0 };
    wanted.count++;
    this.#wanted.set(name, wanted);
    this.#leaveAt = Number.POSITIVE_INFINITY;
    if (this.#ranges.has(name)) return;
    this.#behind = true;
    await this.#write();
  }

  drop(range: KeyRange): void {
    const name = nameOf(range);
    const wanted = this.#wanted.get(name);
    if (wanted === undefined || --wanted.count > 0) return;
    this.#wanted.delete(name);
    this.#behind = true;
    // Until the next poll or write, changes of this range wake the process for nothing.
    this.#wakeup.soon();
    if (this.#wanted.size === 0) this.#leaveAt = performance.now() + LINGER;
  }

  leave(): void {
    const id = this.#id;
    this.#wanted.clear();
    this.#forget();
    this.#behind = false;
    this.#lost = false;
    if (id === 0) return;
    const { queue, watchers } = this.#store;
    // If this fails, the lease of the watcher ends by itself.
    queue.run((transaction) => watchers.leave(transaction, id)).catch(() => undefined);
  }

  /** Updates the tables. Called inside each write transaction. */
  settle(transaction: WriteTransaction): void {
    this.#staged = undefined;
    if (!this.#behind) return;
    const { watchers } = this.#store;
    const ranges = new Map([...this.#wanted].map(([name, { range }]) => [name, range]));
    const isEntered = this.#id !== 0 && watchers.has(this.#id);
    let id = this.#id;
    if (isEntered) this.#change(ranges);
    else id = ranges.size > 0 ? watchers.enter(transaction, ranges.values()) : 0;
    this.#staged = { id, ranges, logged: transaction.logged };
  }

  /** Called after each committed write transaction. */
  settled(): void {
    const staged = this.#staged;
    if (staged === undefined) return;
    this.#staged = undefined;
    this.#behind = false;
    const before = this.#id;
    if (staged.id !== before) this.#forget();
    this.#ranges = staged.ranges;
    this.#id = staged.id;
    if (staged.id === before || staged.id === 0) return;
    const again = this.#lost || before !== 0;
    this.#lost = false;
    this.#renewAt = performance.now() + LEASE / 3;
    this.#wakeup.start(staged.id);
    this.#events.entered(staged.logged, again);
  }

  /** Enters again. This process hung for longer than its lease, and another process took it for dead. */
  enterAgain(): void {
    this.#forget();
    if (this.#wanted.size === 0) return;
    this.#lost = true;
    this.#behind = true;
    const retry = (): void => {
      this.#write().catch((error: unknown) => {
        if (isChannelError(error) && error.retryable && this.#lost) retry();
        else this.#events.failed(error);
      });
    };
    retry();
  }

  #forget(): void {
    this.#wakeup.stop();
    this.#id = 0;
    this.#ranges = NOTHING;
    this.#staged = undefined;
  }

  #change(wanted: Ranges): void {
    const { interests } = this.#store;
    for (const [name, range] of wanted) if (!this.#ranges.has(name)) interests.add(this.#id, range);
    for (const [name, range] of this.#ranges) if (!wanted.has(name)) interests.remove(this.#id, range);
  }

  /** Asks for a write transaction, which then calls {@link settle}. */
  #write(): Promise<void> {
    return this.#store.queue.run(() => undefined);
  }

  #poll(): void {
    this.#events.wake();
    if (this.#id === 0) return;
    const now = performance.now();
    if (now >= this.#leaveAt) this.leave();
    else if (now >= this.#renewAt) this.#renew(now);
    // Update the tables: ended watches would still be logged and wake this process for nothing.
    else if (this.#behind) this.#write().catch(() => undefined);
  }

  #renew(now: number): void {
    this.#renewAt = now + LEASE / 3;
    const { queue, watchers } = this.#store;
    const id = this.#id;
    // If this fails, the lease may end. This process then enters again and reports a gap.
    queue.run((transaction) => watchers.renew(transaction, id)).catch(() => undefined);
  }
}
