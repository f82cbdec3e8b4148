import type { PendingRetry, RunRecord, RunStatus } from "@ojm/core";
import type { ScheduleTick } from "@ojm/schedule";

/**
 * An event in the journal of a process of a cell. All times are by the one monotonic clock of the host, in
 * ms.
 */
export type Event = { readonly t: number } /** `core`: where its process found `@ojm/core`. */ & (
  | { readonly e: "ready"; readonly core: string }
  | { readonly e: "stopping" }
  /**
   * An entry was harmed: the lock with this fence, or this session. Without either, there was nothing to
   * harm.
   */
  | { readonly e: "harmed"; readonly fence?: string; readonly session?: string }
  /** A run was requested. `wall`: the time by the wall clock of the process. */
  | { readonly e: "asked"; readonly id: string; readonly name: string; readonly wait: number; readonly wall: number }
  /** All runs of an ordered burst have settled. */
  | { readonly e: "burst" }
  /**
   * The store granted a lock to a session. `sent`: when the commit was sent. `timeout`: how long the lock may
   * be held at most, counted from then.
   */
  | {
      readonly e: "granted";
      readonly name: string;
      readonly fence: string;
      readonly session: string;
      readonly sent: number;
      readonly timeout: number;
    }
  /**
   * An attempt to take the lock, with this token, had no answer: the store may have applied it. `unknown`:
   * the caller got that answer.
   */
  | { readonly e: "unanswered"; readonly name: string; readonly token: string; readonly unknown: boolean }
  /**
   * A body began. `signalled`: its signal had already fired. `timeout`: how long its run may take. `run`: the
   * id of its run, if no caller gets its outcome. `item`, `group`: of the item that its run handles.
   */
  | {
      readonly e: "enter";
      readonly id: string;
      readonly name: string;
      readonly fence: string;
      readonly held: boolean;
      readonly timeout: number;
      readonly signalled?: true;
      readonly run?: string;
      readonly item?: string;
      readonly group?: string;
    }
  /** The run's signal fired. `why`: the text of its reason. */
  | { readonly e: "signal"; readonly id: string; readonly code: string; readonly why?: string }
  /** The body is over. `fails`: it throws. `skips`: its run is skipped. `ends`: its item may be over. */
  | { readonly e: "exit"; readonly id: string; readonly fails?: true; readonly skips?: true; readonly ends?: true }
  /** An item is in the queue. `sent`: when that was requested. `key`: its unique key. */
  | { readonly e: "added"; readonly item: string; readonly sent: number; readonly key?: string }
  /** The queue is paused. `sent`: when that was requested. */
  | { readonly e: "paused"; readonly sent: number }
  /** A resume of the queue was requested, and was answered. */
  | { readonly e: "resuming" }
  | { readonly e: "resumed" }
  /** The body of a run has written so many lines into its log. */
  | { readonly e: "logged"; readonly run: string; readonly lines: number }
  /** The body blocked the event loop from `from` to `to`, as ordered. */
  | { readonly e: "computed"; readonly id: string; readonly from: number; readonly to: number }
  /** What the caller got: `completed`, or the code of the error. `why`: the text of the error. */
  | { readonly e: "settled"; readonly id: string; readonly outcome: string; readonly why?: string }
  /** A write under a fence. The store may accept it only while the lock has this fence. */
  | {
      readonly e: "write";
      readonly name: string;
      readonly fence: string;
      readonly ok: boolean;
      readonly version: string;
    }
  /** The store renewed a session. `sent`: when the request was sent. */
  | { readonly e: "renewed"; readonly session: string; readonly sent: number }
  | { readonly e: "unlocking"; readonly name: string }
  /**
   * A forced unlock ended. `taken`: whether it took the lock. `fence`: the fence of the run that lost the
   * lock, if known.
   */
  | { readonly e: "unlocked"; readonly name: string; readonly taken: boolean | "unknown"; readonly fence?: string }
  /** A cancel of a job was asked for, by this process, for a reason that no other cancel has. */
  | { readonly e: "cancelling"; readonly name: string; readonly reason: string; readonly pid: number }
  /** What that cancel resolved to: of which run, and its status then. */
  | { readonly e: "cancelled"; readonly reason: string; readonly run: string; readonly status: RunStatus }
  /** A job is held for maintenance, from now on, for so many ms at least. */
  | { readonly e: "held"; readonly name: string; readonly life: number }
  /** A call of the channel failed. */
  | { readonly e: "trouble"; readonly code: string; readonly text: string }
  /** The process did not run its timers from `from` to `to`. */
  | { readonly e: "lag"; readonly from: number; readonly to: number }
  | { readonly e: "stock"; readonly stock: Stock }
  /** The worker begins to close: it starts nothing any more. */
  | { readonly e: "closing" }
  /** The worker has closed everything: nothing keeps the process alive. */
  | { readonly e: "closed" }
  | { readonly e: "error"; readonly text: string }
);

/** The contents of the store when all work is done. */
export interface Stock {
  readonly records: readonly StockRecord[];
  /** Locks, sessions and open runs that are still there although no process uses them. */
  readonly left: readonly string[];
  /** Entries that cannot be read, or not as the records that they are. */
  readonly unreadable: readonly string[];
  /** The entries of the scheduled and retried jobs, in the mode `tick`. */
  readonly jobs?: JobStock;
  /** The ends of the items of the queue, in the mode `queue`. */
  readonly items?: ItemStock;
}

/** The outcomes of the items once no process adds any. */
export interface ItemStock {
  /** The rows that handlers wrote with the end of their items: the item, and the run. */
  readonly done: readonly (readonly [item: string, run: string])[];
  readonly dead: readonly string[];
  /** Items that have no end, in whatever state. */
  readonly stuck: readonly string[];
  readonly runs: readonly { readonly id: string; readonly item: string; readonly status: RunStatus }[];
}

/** The entries of scheduled and retried jobs in the store. */
export interface JobStock {
  /** The time of the stock, in ms since 1970, by a clock that no fault moved. */
  readonly now: number;
  readonly records: readonly RunRecord[];
  /** The outcomes of the ticks of each schedule, oldest first. */
  readonly ticks: Readonly<Record<string, readonly ScheduleTick[]>>;
  /** The tick up to which those of each schedule are decided, and those that still wait for their run. */
  readonly cursors: Readonly<Record<string, { readonly at: number; readonly waiting?: readonly number[] }>>;
  readonly pending: readonly PendingRetry[];
  readonly logs: readonly LogStock[];
  /** What else a program sees. No law is about it, but two versions must see the same. */
  readonly seen?: Readonly<Record<string, unknown>>;
}

/** A log from the view of a reader. */
export interface LogStock {
  readonly run: string;
  /** How many lines it has and counts as missing. */
  readonly lines: number;
  /** Whether its end is missing. */
  readonly isCut: boolean;
  /** Lines that are not the ones that were written at their places. */
  readonly faults: readonly string[];
}

export interface StockRecord {
  readonly name: string;
  readonly fence: string;
  readonly status: string;
  readonly startTime: number;
  /** The name of the lock, if it is another one. */
  readonly lock?: string;
}

/** The configuration of a worker. */
export interface WorkerConfig {
  readonly index: number;
  readonly journal: string;
  readonly backend: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The store of the records of runs, if it is not that of the locks. */
  readonly records?: { readonly type: string; readonly args: Readonly<Record<string, unknown>> };
  readonly ttl: number;
  /** How many managers the process has, each with its own session. */
  readonly managers: number;
  readonly names: readonly string[];
  readonly mode: Mode;
  readonly seed: number;
  /**
   * Whether the worker opens the store directly, as users do, so that its heartbeat thread can open it too.
   * Otherwise it opens it through a wrapper that observes grants and renewals.
   */
  readonly plain: boolean;
  /** The name of the bug that is planted in it. */
  readonly bug?: string;
  /** Whether it forces unlocks, in the mode `force`. */
  readonly unlocks: boolean;
  /** The version whose packages it runs. */
  readonly version: Version;
}

/** The current version, or the base version of scripts/lib/base.mjs: a cell may have workers of both. */
export type Version = "current" | "base";

/**
 * How workers ask for locks: `try` does not wait, `wait` waits for long, `run` waits as `run` does by
 * default, `force` adds forced unlocks, `tick` adds jobs that are scheduled, tried again, cancelled and held,
 * `permit` runs more names than there are permits, `rate` more often than its rate allows, `queue` adds items
 * of a queue, which the workers of all processes handle.
 */
export const modes = ["try", "wait", "run", "force", "tick", "permit", "rate", "queue"] as const;
export type Mode = (typeof modes)[number];

/** An order to a worker. */
export type Order =
  | { readonly order: "go" | "stop" | "stock" }
  /**
   * The next body takes `ms`; if it obeys, it ends earlier when its signal fires. With `block`, it blocks the
   * event loop.
   */
  | { readonly order: "hold"; readonly ms: number; readonly obeys: boolean; readonly block: boolean }
  /** Asks for several runs in one turn. */
  | { readonly order: "burst"; readonly runs: number }
  /** Harms an entry, in stores that only the worker's process can open. */
  | { readonly order: "harm"; readonly harm: Harm; readonly name: string };

export type Harm = "delete lock" | "overwrite lock" | "delete session";
