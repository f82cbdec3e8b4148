import type { JobManager, Run } from "@ojm/core";
import type { Alarms } from "../alarms/alarms.js";
import type { Decided } from "../decide/outcomes.js";
import type { CheckedDefinition } from "../definition/types.js";
import type { Members } from "../members/members.js";
import type { Presence } from "../members/presence.js";
import type { ScheduleStore } from "../store/store.js";

/** What a job does at a tick. */
export type Body = (run: Run) => unknown;

/** A schedule as this process has it. */
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
  /** Since when this process is there, in ms since 1970. */
  readonly began: number;
  /** The manager was closed, so the scheduler has no store any more. */
  stop(): void;
  /** Tells those who listen what became of ticks. */
  tell(schedule: string, ticks: readonly Decided[]): void;
  /** This process is the first of the members for a schedule now. */
  onLead(schedule: string): void;
  /** Makes the attempts that are due and that no process makes, before the next tick of a schedule is run. */
  attemptsFirst(own: OwnSchedule): Promise<void>;
}

/** Which schedules this process has, and its place among those who run one: 0 is the first. */
export interface Own {
  of(name: string): OwnSchedule | undefined;
  rank(name: string): number;
}
