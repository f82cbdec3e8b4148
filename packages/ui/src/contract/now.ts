import * as v from "valibot";
import {
  type HolderView,
  holderSchema,
  type Schema,
  type Status,
  statusSchema,
  type WaiterView,
  waiterSchema,
} from "./common.js";

const KINDS = [
  "orphaned",
  "ignores-cancel",
  "unattended",
  "orphaned-retry",
  "lost",
  "failed",
  "timeout",
  "overdue",
  "long",
  "held",
  "paused",
] as const;

/** Something that an operator should look at. */
export interface Problem {
  /**
   * - `failed`, `lost`, `timeout`: how the last run of the job ended.
   * - `orphaned`: the command of a run that is over goes on.
   * - `overdue`: a tick was due a minute ago, and no process has decided on it. `unattended`: no process is
   * there   that runs the schedule. `orphaned-retry`: no process makes an attempt that is to come.
   * - `paused`, `held`: a person keeps it from running. `long`: it runs for longer than it usually does.
   * - `ignores-cancel`: a run is still running a minute after it was asked to stop.
   */
  readonly kind: (typeof KINDS)[number];
  readonly name: string;
  /** Since when, in ms since 1970. Absent if that is not known. */
  readonly at?: number;
  readonly text: string;
  /** All that it is about, if that is several jobs: how many, and their names, 200 at most, by name. */
  readonly jobs?: { readonly n: number; readonly names: readonly string[] };
  /** The id of the run that it is about. */
  readonly run?: string;
}

/** How far a run is. */
export interface ProgressView {
  readonly done: number;
  readonly total?: number;
  readonly text?: string;
  readonly at: number;
}

/** A request to stop a run: who sent it, why, and when. */
export interface StopRequest {
  readonly by: string;
  readonly reason: string;
  readonly at: number;
}

/** A run that goes on. Times are in ms since 1970. */
export interface Running {
  readonly id: string;
  readonly name: string;
  readonly startTime: number;
  /** For how long it ran at `at` of the answer, in ms by the clock of the server. */
  readonly elapsed: number;
  readonly status: "running";
  /** From 1; only if the job is tried again when it fails. */
  readonly attempt?: number;
  readonly trigger: string;
  readonly holder: HolderView;
  readonly fence: string;
  /** Until when its process has its locks unless it renews them, and when it did so last. */
  readonly lease?: { readonly until: number; readonly renewed: number };
  /** How long half of its last 20 runs took that completed, and 19 of 20, in ms. */
  readonly p50?: number;
  readonly p95?: number;
  readonly progress?: ProgressView;
  /** How many runs wait for its lock. */
  readonly waiting: number;
  /** The last request to stop. Its body has not obeyed so far. */
  readonly asked?: StopRequest;
  /** The tick that it was started for. */
  readonly tick?: number;
}

/** A tick of a schedule: one that is to come, or what became of one. Times are in ms since 1970. */
export interface TickView {
  readonly schedule: string;
  readonly at: number;
  /** When it is run: `at`, and its jitter. */
  readonly due: number;
  /**
   * What became of it. Absent if it is to come. `overdue`: it was due a minute ago, and no process has
   * decided. `waiting`: its run begins when those before it have ended.
   */
  readonly outcome?: "run" | "skipped" | "missed" | "refused" | "overdue" | "waiting";
  readonly reason?: string;
  /** The reason in words. */
  readonly text?: string;
  /** The id of its run. */
  readonly run?: string;
  /** The status of its run, on the page of its job. Absent if the record is deleted. */
  readonly status?: Status;
  /** The id of another run, for which it was not run. The text names it. */
  readonly other?: string;
  /** Why it will not be run, as it is now. */
  readonly skipped?: "paused" | "blackout" | "held";
  /** It is to come, and no process is there that runs its schedule. */
  readonly unattended?: true;
  /** It is to come: how many earlier ticks of its schedule wait for their run. */
  readonly waiting?: number;
  /** The last tick, and how many there are, if the entry is about several in a row. */
  readonly until?: number;
  readonly count?: number;
}

/** The next attempt of a chain whose last one failed. Times are in ms since 1970. */
export interface RetryView {
  readonly name: string;
  /** The id of the first run of the chain, by which it is cancelled: `runs/ID/cancel`. */
  readonly chain: string;
  /** The number of the next attempt, from 2, and how many there may be. */
  readonly attempt: number;
  readonly attempts: number;
  readonly due: number;
  /** Set if no process makes it: its own is gone, and no living scheduler has a schedule of the name. */
  readonly orphaned?: true;
  /** Why the last one failed. At most 300 characters of it. */
  readonly error?: string;
}

/** A name whose lock others wait for. */
export interface WaitedView {
  readonly name: string;
  readonly n: number;
  readonly waiters: readonly WaiterView[];
}

/** `GET api/v1/now`. */
export interface Now {
  readonly at: number;
  /** The worst first. */
  readonly problems: readonly Problem[];
  readonly running: readonly Running[];
  /** The names whose lock others wait for, how many do, and the first three of them. */
  readonly waiting: readonly WaitedView[];
  /** The chains that wait for their next attempt, the soonest first, 100 at most. */
  readonly retries: readonly RetryView[];
  /**
   * The next 24 hours, the soonest first: the next tick of each job, for 200 jobs at most, and the soonest of
   * the others up to 50 ticks in all.
   */
  readonly next: readonly TickView[];
  /**
   * How many jobs have a tick that is not skipped in each of 48 half hours from `at` on: those of the 50 jobs
   * that are due soonest.
   */
  readonly ahead: readonly number[];
  /** How many schedulers live. */
  readonly schedulers: number;
  /** Whether the store has no run, no schedule and no lock, and no scheduler lives. */
  readonly empty: boolean;
  /** Whether more is wrong, runs, waits or is tried again than is shown. Ticks: the soonest are shown. */
  readonly truncated: boolean;
}

export const progressSchema: Schema<ProgressView> = v.strictObject({
  done: v.number(),
  total: v.exactOptional(v.number()),
  text: v.exactOptional(v.string()),
  at: v.number(),
});

export const stopRequestSchema: Schema<StopRequest> = v.strictObject({
  by: v.string(),
  reason: v.string(),
  at: v.number(),
});

export const problemSchema: Schema<Problem> = v.strictObject({
  kind: v.picklist(KINDS),
  name: v.string(),
  at: v.exactOptional(v.number()),
  text: v.string(),
  jobs: v.exactOptional(v.strictObject({ n: v.number(), names: v.array(v.string()) })),
  run: v.exactOptional(v.string()),
});

export const runningSchema: Schema<Running> = v.strictObject({
  id: v.string(),
  name: v.string(),
  startTime: v.number(),
  elapsed: v.number(),
  status: v.literal("running"),
  attempt: v.exactOptional(v.number()),
  trigger: v.string(),
  holder: holderSchema,
  fence: v.string(),
  lease: v.exactOptional(v.strictObject({ until: v.number(), renewed: v.number() })),
  p50: v.exactOptional(v.number()),
  p95: v.exactOptional(v.number()),
  progress: v.exactOptional(progressSchema),
  waiting: v.number(),
  asked: v.exactOptional(stopRequestSchema),
  tick: v.exactOptional(v.number()),
});

export const tickSchema: Schema<TickView> = v.strictObject({
  schedule: v.string(),
  at: v.number(),
  due: v.number(),
  outcome: v.exactOptional(v.picklist(["run", "skipped", "missed", "refused", "overdue", "waiting"])),
  reason: v.exactOptional(v.string()),
  text: v.exactOptional(v.string()),
  run: v.exactOptional(v.string()),
  status: v.exactOptional(statusSchema),
  other: v.exactOptional(v.string()),
  skipped: v.exactOptional(v.picklist(["paused", "blackout", "held"])),
  unattended: v.exactOptional(v.literal(true)),
  waiting: v.exactOptional(v.number()),
  until: v.exactOptional(v.number()),
  count: v.exactOptional(v.number()),
});

export const retrySchema: Schema<RetryView> = v.strictObject({
  name: v.string(),
  chain: v.string(),
  attempt: v.number(),
  attempts: v.number(),
  due: v.number(),
  orphaned: v.exactOptional(v.literal(true)),
  error: v.exactOptional(v.string()),
});

export const nowSchema: Schema<Now> = v.strictObject({
  at: v.number(),
  problems: v.array(problemSchema),
  running: v.array(runningSchema),
  waiting: v.array(v.strictObject({ name: v.string(), n: v.number(), waiters: v.array(waiterSchema) })),
  retries: v.array(retrySchema),
  next: v.array(tickSchema),
  ahead: v.array(v.number()),
  schedulers: v.number(),
  empty: v.boolean(),
  truncated: v.boolean(),
});
