import type { JobManager, Maintenance } from "@ojm/core";
import { type ActiveRun, all, type Hold } from "@ojm/core/internal";
import { holdsIn, type SchedulerView, schedulersIn, schedulesIn } from "../control/overview.js";
import {
  FAILED_WITHIN,
  type Facts,
  type OrphanedCommand,
  type Problem,
  problemsOf,
  type Retry,
  retriesOf,
  type ScheduleState,
  scheduleState,
} from "./problems.js";
import { attendanceOf } from "./schedules.js";

/** The state of a store for an operator, at one time. */
export interface StoreSnapshot {
  /** In ms since 1970. */
  readonly at: number;
  /** All problems, the worst first. See {@link grouped}. */
  readonly problems: readonly Problem[];
  /** The active runs of all processes, by name. */
  readonly runs: readonly ActiveRun[];
  /** The names whose locks have waiters, and how many. */
  readonly waiting: ReadonlyMap<string, number>;
  /** The jobs that people hold. */
  readonly holds: ReadonlyMap<string, Hold>;
  /** The current maintenance, the one that ends last first. */
  readonly maintenance: readonly Maintenance[];
  /** The pending attempts, the soonest first. */
  readonly retries: readonly Retry[];
  /** The schedules, by name, each with its next tick. */
  readonly schedules: readonly ScheduleState[];
  /** The living schedulers. */
  readonly schedulers: readonly SchedulerView[];
}

/** Options of {@link snapshot}. */
export interface SnapshotOptions {
  /**
   * Finds the commands that outlived their runs. `running`: the ids of the open runs. Default: finds none.
   * The programs of ojm pass a function that finds those of `ojm exec`.
   */
  readonly orphans?: (running: ReadonlySet<string>) => Promise<readonly OrphanedCommand[]>;
}

/** The last run is read for at most this many of the jobs with an unattended schedule. */
export const LAST_RUNS = 100;

/**
 * The state of a store for an operator. Reads each kind of entry once. A program that reads the state
 * repeatedly should follow the store instead: see {@link followStore}.
 *
 * @throws ChannelError if the store fails
 * @example
 * for (const { kind, name, text } of (await snapshot(manager)).problems) console.log(kind, name, text);
 */
export async function snapshot(manager: JobManager, options: SnapshotOptions = {}): Promise<StoreSnapshot> {
  const [retries, locks, maintenance] = await Promise.all([
    manager.retries(),
    manager.heldLocks(),
    manager.maintenance(),
  ]);
  const [runs, marked, views, schedulers] = await Promise.all([
    manager.activeRuns({ locks }),
    retriesOf(manager, retries),
    all(schedulesIn(manager, { locks, maintenance })),
    all(schedulersIn(manager)),
  ]);
  const now = Date.now();
  const unattended = attendanceOf(schedulers);
  const known = { now, runs, schedules: views.map((view) => scheduleState(view, unattended, now)) };
  const rest = await readUnwatched(manager, known, options);
  const waiting = new Map(locks.flatMap(({ name, waiting: n }) => (n === 0 ? [] : [[name, n]])));
  const facts = { ...known, ...rest, holds: holdsIn(locks), retries: marked };
  return snapshotOf(facts, { waiting, schedulers, maintenance });
}

/** Makes a snapshot from facts. */
export function snapshotOf(
  facts: Facts,
  others: Pick<StoreSnapshot, "waiting" | "schedulers" | "maintenance">,
): StoreSnapshot {
  const { now: at, runs, holds, retries, schedules } = facts;
  return { at, problems: problemsOf(facts), runs, holds, retries, schedules, ...others };
}

/** The facts that no watch reports. */
export type Unwatched = Pick<Facts, "failing" | "lastRuns" | "orphans">;

/** Reads the facts that no watch reports: failing jobs, last runs of unattended schedules, orphans. */
export async function readUnwatched(
  manager: JobManager,
  { now, schedules, runs }: Pick<Facts, "now" | "schedules" | "runs">,
  { orphans = async () => [] }: SnapshotOptions,
): Promise<Unwatched> {
  const alone = schedules.filter(({ unattended }) => unattended !== undefined).slice(0, LAST_RUNS);
  const last = alone.map(({ schedule: { name } }) => all(manager.history({ name, limit: 1 })));
  const [failing, commands, ...lastRuns] = await Promise.all([
    manager.failedJobs({ from: now - FAILED_WITHIN }),
    orphans(new Set(runs.map(({ id }) => id))),
    ...last,
  ]);
  return { failing, orphans: commands, lastRuns: new Map(lastRuns.flat().map((run) => [run.name, run])) };
}
