import type { Holder, JsonValue, Key } from "@ojm/core";
import type { ProcessIdentity } from "@ojm/core/internal";
import type { Calendar, CheckedDefinition } from "../definition/types.js";

/*
 * The entries that schedulers keep in their channel, in the store of the locks:
 *   ["schedule", NAME]            the definition, and whether it is paused; all schedulers watch these
 *   ["cursor", NAME]              up to which tick all is decided, and which ticks wait
 *   ["tick", NAME, AT]            the outcome of a tick, or of a range of ticks at its first one
 *   ["unrun", NAME, AT]           a mark of each outcome that is no run: few among many
 *   ["member", INSTANCE]          a living scheduler, with a time to live
 *   ["member", INSTANCE, PART]    the schedules that it can run
 *   ["removed", NAME]             somebody removed the schedule; without it, the store has lost it
 *   ["request", NAME, ID]         a run or a backfill that somebody asked for
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

/** A schedule in the store. */
export interface StoredSchedule {
  readonly name: string;
  readonly definition: CheckedDefinition;
  readonly hash: string;
  /** Counts the definitions that it has had. */
  readonly revision: number;
  /** The hashes of earlier definitions, the newest last. */
  readonly past: readonly string[];
  /** When this definition came, in ms since 1970. */
  readonly since: number;
  /** A pause that is over stays until the next one: ticks that nobody decided then were paused. */
  readonly paused?: Pause;
  /** When the latest pause ended: `pauseAfter` counts the runs since. */
  readonly resumed?: number;
}

/** How far the ticks of a schedule are decided. */
export interface Cursor {
  /** All ticks up to this one have their outcome, or wait. In ms since 1970. */
  readonly at: number;
  /** The ticks that wait for their run, in order. */
  readonly waiting?: readonly number[];
  /**
   * The cursor was set back from here, as a machine with a wrong clock had moved it. Ticks up to this one may
   * have an outcome although the cursor is before them.
   */
  readonly ahead?: number;
}

/** What became of a tick. */
export type TickOutcome = "run" | "skipped" | "missed" | "refused";

/**
 * Why a tick was not run.
 *
 * - skipped: `paused`, `blackout`, `overlap` (the job ran), `queue-full`, `replaced` (by a newer tick)
 * - missed: `policy` (`missed: "none"`), `too-late` (`within`), `not-latest`, `too-many` (`max`),
 *   `nobody-there` (`downtime: false`), `imported` (the schedule was brought from another store, which may
 *   have run it)
 * - refused: `removed` (the schedule), `invalid` (the manager refuses its options), `not-recorded` (the store
 *   of the records refused the record of the run, which did not start)
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
  | "nobody-there"
  | "imported"
  | "removed"
  | "invalid"
  | "not-recorded";

/** The outcome of a tick, or of all ticks from one to another. */
export interface TickValue {
  readonly outcome: TickOutcome;
  readonly reason?: TickReason;
  /** What the reason rests on, such as the holder of the lock. */
  readonly evidence?: { readonly [field: string]: JsonValue };
  /** With `run`: the id of the run. */
  readonly run?: string;
  /** The last tick of a range, and how many ticks it has. With `more`, at least so many. */
  readonly until?: number;
  readonly count?: number;
  readonly more?: true;
  /** What its ticks are of: the schedule may have another calendar by now. */
  readonly calendar?: Calendar;
  /** The scheduler that decided, when, and by which revision of the definition. */
  readonly by: Holder;
  readonly decided: number;
  readonly revision: number;
}

/** How long a request and its answer are kept, in ms. A backfill is renewed with each run. */
export const REQUEST_TTL: number = 86_400_000;

/** A living scheduler. */
export interface MemberValue {
  readonly by: Holder;
  /** Of how many parts the list of its schedules is. */
  readonly parts: number;
  /** Its process: on the same machine, others see at once that it is gone. Older versions did not tell. */
  readonly process?: ProcessIdentity;
}

/** Names of schedules that a member can run, with the hashes of its definitions. */
export interface MemberPart {
  readonly schedules: readonly (readonly [name: string, hash: string])[];
}

/** What somebody asked of the scheduler that has the body. */
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
  /** With `backfill`: whether ticks that were run are run again. */
  readonly again?: true;
  /** With `backfill`: the first tick that was asked for, and how many are to run. */
  readonly first?: number;
  readonly ticks?: number;
  /** With `backfill`: the run that was started last. */
  readonly last?: string;
  /** The run that was started for it. */
  readonly run?: string;
  /** Why none was started. */
  readonly refused?: string;
}

/** Who removed a schedule, and when. */
export interface RemovedValue {
  readonly by: Holder;
  readonly at: number;
}

/** The value of a mark: its key says all. */
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
