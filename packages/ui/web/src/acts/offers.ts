import type { ActName, Job, JobDetail, RunPage } from "../api/types.js";
import { may } from "../app/me.js";

/** An act that is shown. It keeps its place also while it makes no sense: what moves is missed by a click. */
export interface Offer {
  readonly act: ActName;
  /** Why it makes no sense now, as a sentence. */
  readonly no?: string;
}

/** What there is to do about a job, in an order that does not depend on what runs now. */
export function offersOf({
  schedule,
  running,
  unattended,
  lock,
}: Pick<Job | JobDetail, "schedule" | "running" | "unattended" | "lock">): readonly Offer[] {
  const ofSchedule: readonly Offer[] = [
    offer("run-now", noRun(unattended, lock?.hold !== undefined)),
    offer(schedule?.paused === undefined ? "pause" : "resume"),
    offer("backfill"),
  ];
  return allowed([
    ...(schedule === undefined ? [] : ofSchedule),
    offer(lock?.hold === undefined ? "hold" : "end-hold"),
    offer("cancel", running === undefined ? "Nothing runs now." : undefined),
    offer("unlock", noUnlock(lock)),
  ]);
}

/** A run of now needs a process that runs it within moments, and a lock that no person holds. */
function noRun(unattended: string | undefined, isHeld: boolean): string | undefined {
  if (unattended !== undefined) return "No process is there that runs its schedule.";
  return isHeld ? "A person holds it: nothing runs it until the hold ends." : undefined;
}

/** Another run of the job of a run. */
export function offersAgain({ run, job: { scheduled, unattended, held } }: RunPage): readonly Offer[] {
  const no = scheduled
    ? noRun(unattended, held === true)
    : "The job has no schedule, so no process can be asked to run it. Start it where this run was started.";
  return allowed([offer("run-now", run.status === "running" ? "This run has not ended." : no)]);
}

/** Why there is no lock to take from a process. */
function noUnlock(lock: Job["lock"]): string | undefined {
  if (lock === undefined) return "Its lock is free.";
  return lock.hold === undefined ? undefined : "A person holds it, and no process: end the hold.";
}

/** What there is to do about a run, or about who has a lock. `no`: why nothing of it makes sense any more. */
export const offersOfRun = (no?: string): readonly Offer[] => allowed([offer("cancel", no), offer("unlock", no)]);

/** Those that make sense now. */
export const possible = (offers: readonly Offer[]): readonly ActName[] =>
  offers.filter(({ no }) => no === undefined).map(({ act }) => act);

/** An act, and why it makes no sense now, if so. */
export const offer = (act: ActName, no?: string): Offer => ({ act, ...(no !== undefined && { no }) });

/** Those that the reader may do. */
export const allowed = (offers: readonly Offer[]): readonly Offer[] => offers.filter(({ act }) => may(act));
