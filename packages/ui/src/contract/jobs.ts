import * as v from "valibot";
import { type ActName, actNameSchema, type Schema, type Status, statusSchema } from "./common.js";
import { type HoldView, holdSchema } from "./locks.js";
import { type TickView, tickSchema } from "./now.js";

/** When a job is due. */
export interface JobSchedule {
  /** `At 02:00 (Europe/Lisbon)`. */
  readonly words: string;
  readonly zone: string;
  readonly cron?: string;
  /** The ms between two ticks. */
  readonly every?: number;
  readonly paused?: {
    readonly reason: string;
    readonly by: string;
    readonly at: number;
    readonly until?: number;
  };
}

/** How a run ended. */
export interface LastRun {
  readonly id: string;
  readonly status: Status;
  readonly startTime: number;
  readonly endTime?: number;
  readonly duration?: number;
  readonly error?: string;
}

/** A job that has a record, a schedule or a lock. Times are in ms since 1970, durations in ms. */
export interface Job {
  readonly name: string;
  readonly schedule?: JobSchedule;
  /** When it is due next. */
  readonly next?: number;
  /** Why no process runs its schedule, in words. Absent if one does. */
  readonly unattended?: string;
  /** Its next tick will be skipped, as a person holds the job. */
  readonly held?: true;
  /** Why its next tick will be skipped. */
  readonly skipped?: "paused" | "blackout" | "held";
  /** When its next tick is due that will be run. Absent while its pause has no end. */
  readonly nextRun?: number;
  /**
   * Its ticks that were due a minute ago, and that no process has decided on: the first one, the last one,
   * how many.
   */
  readonly overdue?: { readonly at: number; readonly until: number; readonly count: number };
  readonly last?: LastRun;
  /** When the last run ended that completed. */
  readonly lastWell?: number;
  /** The id of the run that goes on. */
  readonly running?: string;
  /** When that one began. */
  readonly runningSince?: number;
  /** Since when its lock is held. With `hold`, by a person, and not by a process. */
  readonly lock?: { readonly since: number; readonly hold?: HoldView };
  /**
   * How many runs in a row ended well; below zero, how many in a row ended in error. A chain of attempts
   * counts once, and a cancelled run not at all. It is of the last 50 attempts, and no longer.
   */
  readonly streak?: number;
  /** Of its last 20 runs, how long half of those took that completed, and 19 of 20. */
  readonly p50?: number;
  readonly p95?: number;
  /** The share of its last 50 attempts that ended well, from 0 to 1: each attempt of a chain counts. */
  readonly rate?: number;
  /** The last 20 that completed, oldest first. */
  readonly durations: readonly number[];
}

/** `GET api/v1/jobs?limit&after&q`: by name. */
export interface Jobs {
  readonly jobs: readonly Job[];
  /** Whether there are jobs after these: ask again with `after`, the name of the last one. */
  readonly more: boolean;
}

/** `GET api/v1/jobs/NAME?from&to`: with a range of time, its ticks are those of that time. */
export interface JobDetail extends Job {
  /** The definition of the schedule, as JSON. */
  readonly definition?: { readonly [field: string]: unknown };
  /** The next 10, and what became of the last 20, of a range of time 100; the latest first. */
  readonly ticks: readonly TickView[];
}

/** Why a job does not run now. */
export interface ReasonView {
  /**
   * `ready`, `paused`, `blackout`, `unattended`, `overdue`, `running`, `locked`, `kept`, `maintenance`,
   * `queue`, `waiting`, `backfill`, `retry`, `last`, `never`, `tick`, `next`, `unscheduled`, `orphaned` or
   * `refused`.
   */
  readonly code: string;
  readonly text: string;
  /** When it happened, or will. */
  readonly at?: number;
  /** The id of the run that it is about. */
  readonly run?: string;
  /** With `last`: how that run ended. */
  readonly status?: Status;
  /** With `retry`: the number of the attempt that is due. `run` is then the first run of its chain. */
  readonly attempt?: number;
  /** What can be done about it. */
  readonly act?: ActName;
  /** What helps that cannot be done from here, in words. */
  readonly help?: string;
}

/** `GET api/v1/jobs/NAME/why`: the most important reason first. */
export interface Why {
  readonly name: string;
  readonly reasons: readonly ReasonView[];
  /** The next tick that is run. */
  readonly next?: number;
}

const lastRunSchema: Schema<LastRun> = v.strictObject({
  id: v.string(),
  status: statusSchema,
  startTime: v.number(),
  endTime: v.exactOptional(v.number()),
  duration: v.exactOptional(v.number()),
  error: v.exactOptional(v.string()),
});

const scheduleSchema: Schema<JobSchedule> = v.strictObject({
  words: v.string(),
  zone: v.string(),
  cron: v.exactOptional(v.string()),
  every: v.exactOptional(v.number()),
  paused: v.exactOptional(
    v.strictObject({ reason: v.string(), by: v.string(), at: v.number(), until: v.exactOptional(v.number()) }),
  ),
});

const jobEntries = {
  name: v.string(),
  schedule: v.exactOptional(scheduleSchema),
  next: v.exactOptional(v.number()),
  unattended: v.exactOptional(v.string()),
  held: v.exactOptional(v.literal(true)),
  skipped: v.exactOptional(v.picklist(["paused", "blackout", "held"])),
  nextRun: v.exactOptional(v.number()),
  overdue: v.exactOptional(v.strictObject({ at: v.number(), until: v.number(), count: v.number() })),
  last: v.exactOptional(lastRunSchema),
  lastWell: v.exactOptional(v.number()),
  running: v.exactOptional(v.string()),
  runningSince: v.exactOptional(v.number()),
  lock: v.exactOptional(v.strictObject({ since: v.number(), hold: v.exactOptional(holdSchema) })),
  streak: v.exactOptional(v.number()),
  p50: v.exactOptional(v.number()),
  p95: v.exactOptional(v.number()),
  rate: v.exactOptional(v.number()),
  durations: v.array(v.number()),
};

/** `GET api/v1/zones?limit&after`: the time zones of the schedules, by name. */
export interface Zones {
  readonly zones: readonly {
    readonly name: string;
    /** Such as `Europe/Berlin`. */
    readonly zone: string;
  }[];
  readonly more: boolean;
}

export const jobSchema: Schema<Job> = v.strictObject(jobEntries);

export const jobsSchema: Schema<Jobs> = v.strictObject({ jobs: v.array(jobSchema), more: v.boolean() });

export const jobDetailSchema: Schema<JobDetail> = v.strictObject({
  ...jobEntries,
  definition: v.exactOptional(v.record(v.string(), v.unknown())),
  ticks: v.array(tickSchema),
});

export const reasonSchema: Schema<ReasonView> = v.strictObject({
  code: v.string(),
  text: v.string(),
  at: v.exactOptional(v.number()),
  run: v.exactOptional(v.string()),
  status: v.exactOptional(statusSchema),
  attempt: v.exactOptional(v.number()),
  act: v.exactOptional(actNameSchema),
  help: v.exactOptional(v.string()),
});

export const whySchema: Schema<Why> = v.strictObject({
  name: v.string(),
  reasons: v.array(reasonSchema),
  next: v.exactOptional(v.number()),
});

export const zonesSchema: Schema<Zones> = v.strictObject({
  zones: v.array(v.strictObject({ name: v.string(), zone: v.string() })),
  more: v.boolean(),
});
