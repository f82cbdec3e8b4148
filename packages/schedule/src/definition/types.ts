import type { Duration, JsonValue, RetryOptions, RunOptions, RunRecord } from "@ojm/core";
import type { InMs } from "@ojm/core/internal";

/** What happens to a tick that is due while the job still runs. */
export type Overlap = "skip" | "queue" | "replace";

/** The policy for ticks that were not decided at their time. */
export interface Missed {
  /** `latest`: the newest of them, `all`: each, in order. The others have the outcome `missed`. */
  readonly run: "none" | "latest" | "all";
  /** Runs no tick that is older than this. Default: no limit. */
  readonly within?: Duration;
  /** With `all`, the most ticks that are run: the newest. Default and limit: 100. */
  readonly max?: number;
  /**
   * Whether ticks from before this process began are run, too. With `false`, only ticks that a living process
   * missed, because it slept or its clock was put forward. Default: true.
   */
  readonly downtime?: boolean;
}

/**
 * A window in which no tick starts a run: a single one, or one that begins at each tick of a cron expression.
 */
export type Blackout =
  | { readonly from: string | number; readonly to: string | number; readonly reason?: string }
  | { readonly cron: string; readonly duration: Duration; readonly timeZone?: string; readonly reason?: string };

/** When a schedule is due, and what happens then. The store has it as JSON, with its durations in ms. */
export interface ScheduleDefinition {
  /** 5 fields, or 6 with the second first, or a nickname such as `@daily`. */
  readonly cron?: string;
  /** A name of the IANA list. Default: UTC. */
  readonly timeZone?: string;
  /** Instead of `cron`: the time between two ticks, counted from 1970-01-01T00:00Z. At least one second. */
  readonly every?: Duration;
  /**
   * What happens to a tick that is due while the job is running. `skip`: the tick is not run. `queue`: it is
   * run when the active run has ended. `replace`: the active run is cancelled, and the tick is run when that
   * run has ended. Default: `skip`.
   */
  readonly overlap?: Overlap;
  /**
   * What happens to ticks that were not decided in time. Default: `{ run: "latest", downtime: false }`: one
   * late run after a sleep, and none at the start of a process that was away for a night, or for a month.
   */
  readonly missed?: Missed["run"] | Missed;
  /**
   * Delays each tick by up to this time, but never past the next tick. The delay of a tick is the same in
   * every process. Default: 0.
   */
  readonly jitter?: Duration;
  /** The longest time that a run may take. Default: one hour. */
  readonly timeout?: Duration;
  /** The lock of its runs, if it is not that of its name: see `RunOptions.lock`. */
  readonly lock?: string;
  /**
   * The permits of its runs: see `RunOptions.permits`. A tick that finds one taken waits, whatever `overlap`
   * is, which applies to the ticks that are due meanwhile.
   */
  readonly permits?: NonNullable<RunOptions["permits"]>;
  /** The rate of its runs: see `RunOptions.rate`. A tick that finds it used up waits, as for a permit. */
  readonly rate?: NonNullable<RunOptions["rate"]>;
  /** Times in which no tick starts a run: a window, or a list of them. The store always has a list. */
  readonly blackout?: Blackout | readonly Blackout[];
  /**
   * Pauses the schedule after this many runs in a row ended in error. Skipped and cancelled runs do not
   * count. Default: never.
   */
  readonly pauseAfter?: number;
  /**
   * How a run that does not complete is retried. With `onLost`, this includes a run whose process died or was
   * replaced by a deploy: another process makes the next attempt of the same tick.
   */
  readonly retry?: RetryOptions;
  /** JSON for the records of its runs. */
  readonly meta?: { readonly [field: string]: JsonValue };
}

/** A window of which the duration is in ms. */
export type CheckedBlackout = Exclude<Blackout, { cron: string }> | InMs<Extract<Blackout, { cron: string }>>;

/** A definition that was checked: its durations are in ms, and its windows are a list. */
export interface CheckedDefinition extends Omit<InMs<ScheduleDefinition>, "missed" | "blackout" | "retry" | "rate"> {
  readonly missed?: Missed["run"] | InMs<Missed>;
  readonly blackout?: readonly CheckedBlackout[];
  readonly retry?: InMs<RetryOptions>;
  readonly rate?: NonNullable<RunRecord["rate"]>;
}

/** The part of a definition that determines when it is due. */
export type Calendar = { readonly [K in "cron" | "timeZone" | "every"]?: NonNullable<CheckedDefinition[K]> };

/** The policies of a definition, with all defaults. */
export interface Policies {
  readonly overlap: Overlap;
  readonly missed: Required<InMs<Missed>>;
  readonly jitter: number;
}

/** The most ticks that wait for their run. */
export const MOST_WAITING = 100;

/** A process that starts after a long time must not surprise its users with the runs of the past. */
const MISSED: InMs<Missed> = { run: "latest", downtime: false };

/** The policies of a definition that was checked. */
export function policiesOf({ overlap = "skip", missed = MISSED, jitter = 0 }: CheckedDefinition): Policies {
  const given: InMs<Missed> = typeof missed === "string" ? { run: missed } : missed;
  const { run, within = Number.POSITIVE_INFINITY, max = MOST_WAITING, downtime = true } = given;
  return { overlap, jitter, missed: { run, within, max, downtime } };
}
