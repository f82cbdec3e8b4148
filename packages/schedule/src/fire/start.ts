import { isRunError, type JobManager, type Run, type RunOptions, type Version } from "@ojm/core";
import { present, type Semaphore, type StartClaim } from "@ojm/core/internal";
import type { Alarms } from "../alarms.js";
import type { Decided } from "../decide/outcomes.js";
import type { CheckedDefinition } from "../definition/types.js";
import type { Members } from "../members/members.js";
import type { Presence } from "../members/presence.js";
import type { ScheduleStore } from "../store/store.js";
import { Changed, type TickClaim } from "./claim.js";

/** A run that was started. */
interface Begun {
  /** The version of the writes of its claim. */
  readonly version: Version;
  /** Resolves when the run, or a later attempt, has completed. Rejects like `JobManager.run`. */
  readonly ended: Promise<unknown>;
}

/** How long one attempt waits for the lock, in ms. Then the next one follows. */
export const LOCK_WAIT = 3_600_000;

/** How long it waits for its permits and its rate, in ms: as long as it takes. */
const UNLIMITED = 365 * 86_400_000;

/** The pause after a call that failed, in ms. */
export const AGAIN = 2_000;

/** How to start a run. */
export interface StartOptions {
  /** How long to wait for the lock, in ms. */
  readonly wait: number;
  /** Ends the wait for the lock; a run that was started continues. */
  readonly signal?: AbortSignal;
  /** The reason for the start, for the record. Default: that of the schedule. */
  readonly trigger?: string;
  /** The parameters of the run. */
  readonly args?: RunOptions["args"] | undefined;
}

/** The job of a claim. */
interface ClaimedJob extends Pick<OwnSchedule, "name" | "body" | "trigger"> {
  readonly definition: {
    readonly [K in "timeout" | "lock" | "permits" | "rate" | "meta" | "retry"]?: RunOptions[K] | undefined;
  };
}

/**
 * Starts a run of a schedule, and resolves once its claim is in the store. `JobManager.start` cannot do it: a
 * run with `retry` needs its job function from the first attempt on, so it begins by `JobManager.run`.
 *
 * @throws Changed if the wait was ended, or if it is unknown whether the claim was written; the error of the
 * claim; RunError `LOCKED`; ChannelError if the store fails
 */
export async function startClaimed(
  { manager, runs }: Pick<Host, "manager" | "runs">,
  own: ClaimedJob,
  claim: StartClaim,
  { wait, signal, trigger = own.trigger ?? "schedule", args }: StartOptions,
): Promise<Begun> {
  let ended: Promise<unknown> = Promise.resolve();
  const { timeout, lock, permits, rate, meta, retry } = own.definition;
  // A run that gave up its place in line would begin at its end again.
  const isPatient = wait > 0 && (permits !== undefined || rate !== undefined);
  const permitWait = isPatient ? UNLIMITED : undefined;
  const given = present({ timeout, lock, permits, rate, permitWait, meta, retry, args, waitSignal: signal });
  const options = { group: runs, ...given, trigger, wait, claim };
  try {
    const version = await new Promise<Version>((resolve, reject) => {
      const body = (run: Run): unknown => {
        resolve(run.fence);
        return own.body(run);
      };
      ended = manager.run(own.name, body, options);
      ended.then(() => reject(new Changed()), reject);
    });
    return { version, ended };
  } catch (error) {
    if (signal?.aborted === true && isRunError(error) && error.code === "CANCELLED") throw new Changed();
    throw error;
  }
}

/**
 * Starts the run of a tick.
 *
 * @throws Changed, Taken; RunError `LOCKED`; ChannelError if the store fails
 */
export async function startTick(host: Host, own: OwnSchedule, claim: TickClaim, options: StartOptions): Promise<Begun> {
  await claim.look();
  const begun = await startClaimed(host, own, claim, options);
  host.publishTicks(own.name, [{ at: claim.tick.at, value: { outcome: "run", run: claim.run } }]);
  return begun;
}

/**
 * How many ticks of a process are being started at once. If ten thousand schedules are due at the same
 * moment, each start in progress holds its claim, its record and its writes, some 30 kB, until the store has
 * answered. The store joins the writes of this many starts; more would only wait in memory.
 */
export const STARTS_AT_ONCE = 256;

/** The job function of a schedule. */
export type Body = (run: Run) => unknown;

/** A schedule of this process. */
export interface OwnSchedule {
  readonly name: string;
  readonly definition: CheckedDefinition;
  readonly hash: string;
  readonly body: Body;
  /** The reason for the starts of its ticks, for the records. */
  readonly trigger?: string;
}

/** What the jobs of a scheduler share. */
export interface Host {
  readonly manager: JobManager;
  /** The runs of this scheduler, which close together. */
  readonly runs: ReturnType<JobManager["group"]>;
  readonly store: ScheduleStore;
  readonly members: Members;
  readonly presence: Presence;
  readonly alarms: Alarms;
  /** The starts of ticks, {@link STARTS_AT_ONCE} at once, in the order in which they come. */
  readonly starts: Semaphore;
  /** When this process began, in ms since 1970. */
  readonly began: number;
  /** Fires when the scheduler is closed. */
  readonly closing: AbortSignal;
  /** The schedules of this process, by name. */
  own(name: string): OwnSchedule | undefined;
  /** The place of this process among those that can run a schedule: 0 is the first. */
  rank(name: string): number;
  /** Called when the manager was closed, so that the scheduler has no store any more. */
  stop(): void;
  /** Publishes the outcomes of ticks. */
  publishTicks(schedule: string, ticks: readonly Decided[]): void;
  /** Called when this process becomes the first member for a schedule. */
  onLead(schedule: string): void;
  /** Takes over the due attempts that no other process is making. Called before the next tick is run. */
  attemptsFirst(own: OwnSchedule): Promise<void>;
}
