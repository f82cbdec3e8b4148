import type { ActName, Job, JobDetail, RunPage } from "../api/types.js";
import { may } from "../app/me.js";

/**
 * An action that is shown. It keeps its place even while it is not possible: a moving button makes users
 * misclick.
 */
export interface Offer {
  readonly act: ActName;
  /** Why it is not possible now, as a sentence. */
  readonly no?: string;
}

/** The actions on a job, in an order that does not depend on its state. */
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

/** A run on request needs a living process that makes it, and a lock that no user holds. */
function noRun(unattended: string | undefined, isHeld: boolean): string | undefined {
  if (unattended !== undefined) return "No process runs its schedule.";
  return isHeld ? "A person holds it: nothing runs it until the hold ends." : undefined;
}

/** The action to run the job of a run again. */
export function offersAgain({ run, job: { scheduled, unattended, held } }: RunPage): readonly Offer[] {
  const no = scheduled
    ? noRun(unattended, held === true)
    : "The job has no schedule, so no process can run it on request. Start it where this run was started.";
  return allowed([offer("run-now", run.status === "running" ? "This run has not ended." : no)]);
}

/** Why there is no lock to take from a process. */
function noUnlock(lock: Job["lock"]): string | undefined {
  if (lock === undefined) return "Its lock is free.";
  return lock.hold === undefined ? undefined : "A person holds it, and no process: end the hold.";
}

/** The actions on a run, or on the holder of a lock. `no`: why none of them is possible any more. */
export const offersOfRun = (no?: string): readonly Offer[] => allowed([offer("cancel", no), offer("unlock", no)]);

/** The actions that are possible now. */
export const possible = (offers: readonly Offer[]): readonly ActName[] =>
  offers.filter(({ no }) => no === undefined).map(({ act }) => act);

/** An action, and why it is not possible now. */
export const offer = (act: ActName, no?: string): Offer => ({ act, ...(no !== undefined && { no }) });

/** The actions that the user may take. */
export const allowed = (offers: readonly Offer[]): readonly Offer[] => offers.filter(({ act }) => may(act));
