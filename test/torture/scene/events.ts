/**
 * What the processes of a cell write down, each in its own journal. All times are of the one monotonic clock
 * of the host, in ms.
 */
export type Event = { readonly t: number } & (
  | { readonly e: "ready" }
  | { readonly e: "stopping" }
  /** Whose lock, by its fence, or which session was harmed. Without either, there was nothing to harm. */
  | { readonly e: "harmed"; readonly fence?: string; readonly session?: string }
  /** A run was asked for. `wall`: what the wall clock of the process said. */
  | { readonly e: "asked"; readonly id: string; readonly name: string; readonly wait: number; readonly wall: number }
  /**
   * The store gave a lock to a session. `sent`: when the commit was sent; `timeout`: how long from then on it
   * may be held at most.
   */
  | {
      readonly e: "granted";
      readonly name: string;
      readonly fence: string;
      readonly session: string;
      readonly sent: number;
      readonly timeout: number;
    }
  /** An attempt to take the lock was sent, and whether the store made it is not known. */
  | { readonly e: "unanswered"; readonly name: string }
  /** A body began. `told`: its signal had fired by then. `timeout`: how long its run may take. */
  | {
      readonly e: "enter";
      readonly id: string;
      readonly name: string;
      readonly fence: string;
      readonly held: boolean;
      readonly timeout: number;
      readonly told?: true;
    }
  /** The run's signal fired. */
  | { readonly e: "signal"; readonly id: string; readonly code: string }
  | { readonly e: "exit"; readonly id: string }
  /** From `from` to `to`, the body kept the event loop to itself, as it was told to. */
  | { readonly e: "computed"; readonly id: string; readonly from: number; readonly to: number }
  /** What the one who asked was told: `completed`, or the code of the error. */
  | { readonly e: "settled"; readonly id: string; readonly outcome: string }
  /** A write that the store may only accept while the fence is that of the lock. */
  | {
      readonly e: "write";
      readonly name: string;
      readonly fence: string;
      readonly ok: boolean;
      readonly version: string;
    }
  /** The store renewed a session, on a request that was sent at `sent`. */
  | { readonly e: "renewed"; readonly session: string; readonly sent: number }
  | { readonly e: "unlocking"; readonly name: string }
  /** Whether it was taken by force. `fence`: from whom, where that is known. */
  | { readonly e: "unlocked"; readonly name: string; readonly taken: boolean | "unknown"; readonly fence?: string }
  /** A call of the channel failed. */
  | { readonly e: "trouble"; readonly code: string; readonly text: string }
  /** From `from` to `to`, the process did not come to its timers. */
  | { readonly e: "lag"; readonly from: number; readonly to: number }
  | { readonly e: "stock"; readonly stock: Stock }
  /** All is closed: nothing keeps the process alive. */
  | { readonly e: "closed" }
  | { readonly e: "error"; readonly text: string }
);

/** What is in the store when all work is done. */
export interface Stock {
  readonly records: readonly StockRecord[];
  /** Locks, sessions and open runs that are still there although nobody is. */
  readonly left: readonly string[];
}

export interface StockRecord {
  readonly name: string;
  readonly fence: string;
  readonly status: string;
  readonly startTime: number;
}

/** What a worker is started with. */
export interface WorkerConfig {
  readonly index: number;
  readonly journal: string;
  readonly backend: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Where the records of runs are, if not where the locks are. */
  readonly records?: { readonly type: string; readonly args: Readonly<Record<string, unknown>> };
  readonly ttl: number;
  /** How many managers the process has, each with its own session. */
  readonly managers: number;
  readonly names: readonly string[];
  readonly mode: Mode;
  readonly seed: number;
  /**
   * Whether it opens the store as users do, so that its heartbeat thread can too, and not through what
   * observes the grants and renewals.
   */
  readonly plain: boolean;
  /** The name of a planted bug that it carries. */
  readonly bug?: string;
}

/**
 * How workers ask for their locks: now or never; waiting for long; as `run` does by default; with forced
 * unlocks in between.
 */
export const modes = ["try", "wait", "run", "force"] as const;
export type Mode = (typeof modes)[number];

/** What a worker can be told. */
export type Order =
  | { readonly order: "go" | "stop" | "stock" }
  /**
   * The next body takes so long, or until it is told to stop, if it obeys. With `block`, it keeps the event
   * loop to itself.
   */
  | { readonly order: "hold"; readonly ms: number; readonly obeys: boolean; readonly block: boolean }
  /** Harms an entry, in stores that only the worker's process can open. */
  | { readonly order: "harm"; readonly harm: Harm; readonly name: string };

export type Harm = "delete lock" | "overwrite lock" | "delete session";
