import type { Args, Settings } from "../../../load/job-file.js";
import type { Log } from "../../../output/log.js";
import type { Plan, PlannedJob } from "../../../plan/planned.js";
import type { Dispatch } from "../../dispatch/dispatch.js";
import type { Runtime } from "../../runtime/runtime.js";

/** What schedules need of the engine. */
export interface ScheduleHost {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly commandLine: Args;
  readonly dispatch: Dispatch;
  readonly log: Log;
  readonly runtime: Runtime;
  /** Why no job may start; `undefined` while jobs may. */
  readonly refusal: string | undefined;
  /** Whether the grace period of a stop is over. */
  readonly killed: boolean;
  /** Shows why a job did not run for a tick of its schedule. */
  tickSkipped(job: string, at: number, reason: string): void;
}

/** A schedule of a job. An item of the todo has begun it. */
export interface JobSchedule {
  readonly job: PlannedJob;
  readonly given: readonly Args[];
  /** The job runs for these of its own arguments only. */
  readonly own?: Args;
  /** The name of its ticks. It is the same in every process that runs this file. */
  readonly name: string;
  /** The longest time of a run, in ms. */
  readonly timeout?: number | undefined;
}

/** What made the request, for the records. */
export function triggerOf({ typeArgs }: PlannedJob): "cron" | "interval" {
  return typeArgs.cron === undefined ? "interval" : "cron";
}
