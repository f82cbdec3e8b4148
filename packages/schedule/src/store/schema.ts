import type { Holder, JsonValue, Key } from "@ojm/core";
import type { ProcessIdentity } from "@ojm/core/internal";
import type { Calendar, CheckedDefinition } from "../definition/types.js";

/*
 * The entries of schedulers in their channel, in the store of the locks:
 *   ["schedule", NAME]            the definition, and whether it is paused; all schedulers watch these
 *   ["cursor", NAME]              up to which tick all are decided, and which ticks wait
 *   ["tick", NAME, AT]            the outcome of a tick, or of a range of ticks at its first one
 *   ["unrun", NAME, AT]           a mark of each outcome that is not a run, to find these few
 *   ["member", INSTANCE]          a living scheduler, with a time to live
 *   ["member", INSTANCE, PART]    the schedules that it can run
 *   ["removed", NAME]             the schedule was removed; if this is missing too, the store has lost it
 *   ["request", NAME, ID]         a requested run or backfill
 */

/** The channel of the schedulers. */
export const CHANNEL = "oJobManager-schedules";

/** How long the outcome of a tick is kept, in ms: 30 days. */
export const TICK_TTL: number = 30 * 86_400_000;

/** A pause of a schedule. */
export interface Pause {
  readonly reason: string;
  /** The person, or the program, that paused it. */
  readonly by: string;
  /** In ms since 1970. */
  readonly at: number;
  /** When it ends by itself, in ms since 1970. */
  readonly until?: number;
}

/** The current pause at `now`. */
export function pauseAt({ paused }: { readonly paused?: Pause }, now: number): Pause | undefined {
  return paused === undefined || (paused.until ?? Number.POSITIVE_INFINITY) <= now ? undefined : paused;
}

/** A schedule in the store. */
export interface StoredSchedule {
  readonly name: string;
  readonly definition: CheckedDefinition;
  readonly hash: string;
  /** The number of its definitions so far. */
  readonly revision: number;
  /** The hashes of earlier definitions, the newest last. */
  readonly past: readonly string[];
  /** When this definition was written, in ms since 1970. */
  readonly since: number;
  /** A pause that is over stays until the next one: undecided ticks of that time were paused. */
  readonly paused?: Pause;
  /** When the latest pause ended: `pauseAfter` counts the runs since. */
  readonly resumed?: number;
}

/** The progress of a schedule's ticks. */
export interface Cursor {
  /** All ticks up to this one have their outcome, or wait. In ms since 1970. */
  readonly at: number;
  /** The ticks that wait for their run, in order. */
  readonly waiting?: readonly number[];
  /**
   * The cursor was set back from here, because a machine with a wrong clock had moved it. Ticks up to this
   * one may have an outcome although the cursor is before them.
   */
  readonly ahead?: number;
}

/** The outcome of a tick. A later version of ojm may write another text: readers show it as it is. */
export type TickOutcome = "run" | "skipped" | "missed" | "refused";

/**
 * Why a tick was not run.
 *
 * - skipped: `paused`, `blackout`, `overlap` (the job was running), `queue-full`, `replaced` (by a newer
 *   tick)
 * - missed: `policy` (`missed: "none"`), `too-late` (`within`), `not-latest`, `too-many` (`max`),
 *   `no-scheduler` (`downtime: false`), `imported` (the schedule came from another store, which may have run
 *   it), `unreadable` (a definition replaced one that its version of ojm could not read)
 * - refused: `removed` (the schedule), `invalid` (the manager rejects its options), `not-recorded` (the store
 *   of the records rejected the record of the run, which did not start)
 */
export type TickReason =
  | "paused"
  | "blackout"
  | "overlap"
  | "queue-full"
  | "replaced"
  | "policy"
  | "too-late"
  | "not-latest"
  | "too-many"
  | "no-scheduler"
  | "imported"
  | "unreadable"
  | "removed"
  | "invalid"
  | "not-recorded";

/** The revision of a tick of another scheduler, such as node-cron: the store has no definition of it. */
export const NO_REVISION = 0;

/** The outcome of a tick, or of a range of ticks. */
export interface TickValue {
  readonly outcome: TickOutcome;
  readonly reason?: TickReason;
  /** The evidence of the reason, such as the holder of the lock. */
  readonly evidence?: { readonly [field: string]: JsonValue };
  /** With `run`: the id of the run. */
  readonly run?: string;
  /** The last tick of a range, and how many ticks it has. With `more`, at least that many. */
  readonly until?: number;
  readonly count?: number;
  readonly more?: true;
  /** The calendar of its ticks: the schedule may have another one by now. */
  readonly calendar?: Calendar;
  /** The scheduler that decided, when, and by which revision of the definition. */
  readonly by: Holder;
  readonly decided: number;
  readonly revision: number;
}

/** How long a request and its answer are stored, in ms. A backfill is renewed with each run. */
export const REQUEST_TTL: number = 86_400_000;

/** A living scheduler. */
export interface MemberValue {
  readonly by: Holder;
  /** The number of parts of its list of schedules. */
  readonly parts: number;
  /**
   * Its process: on the same machine, others see at once that it is gone. Older versions did not write it.
   */
  readonly process?: ProcessIdentity;
  /** The version of ojm in its process. Older versions did not write it. */
  readonly ojm?: string;
}

/** Names of schedules that a member can run, with the hashes of its definitions. */
export interface MemberPart {
  /** Each is a name and a hash. Items of another form may come from a later version. */
  readonly schedules: readonly unknown[];
}

/** A request to the scheduler that has the body. */
export interface RequestValue {
  readonly type: "run" | "backfill";
  readonly reason: string;
  readonly by: string;
  readonly at: number;
  /** With `run`: the parameters of the run. */
  readonly args?: { readonly [key: string]: JsonValue };
  /** With `backfill`: the ticks after `from`, up to `to`. `from` moves on with each run. */
  readonly from?: number;
  readonly to?: number;
  /** With `backfill`: whether ticks that already ran are run again. */
  readonly again?: true;
  /** With `backfill`: the first requested tick, and the number of ticks to run. */
  readonly first?: number;
  readonly ticks?: number;
  /** With `backfill`: the latest run. */
  readonly last?: string;
  /** The run that was started for it. */
  readonly run?: string;
  /** Why no run was started. */
  readonly refused?: string;
}

/** Who removed a schedule, and when. */
export interface RemovedValue {
  readonly by: Holder;
  readonly at: number;
}

/** The value of a mark. The key has all the information. */
export const MARK = 0;

export type SchedulesValue =
  | StoredSchedule
  | Cursor
  | TickValue
  | MemberValue
  | MemberPart
  | RemovedValue
  | RequestValue
  | typeof MARK;

export const scheduleKey = (name: string): Key => ["schedule", name];
export const cursorKey = (name: string): Key => ["cursor", name];
export const removedKey = (name: string): Key => ["removed", name];
export const tickKey = (name: string, at: number): Key => ["tick", name, at];
export const unrunKey = (name: string, at: number): Key => ["unrun", name, at];
export const memberKey = (instance: string): Key => ["member", instance];
export const memberPartKey = (instance: string, part: number): Key => ["member", instance, part];
export const requestKey = (name: string, id: string): Key => ["request", name, id];
