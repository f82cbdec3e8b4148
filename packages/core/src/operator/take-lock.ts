import type { UnlockOptions, UnlockOutcome } from "../jobs/types.js";
import { holdOf } from "../locks/entries/valid.js";
import { whom } from "../locks/entries/view.js";
import type { HeldLock } from "../locks/types.js";
import { visible } from "../util/text.js";

/** The part of a job manager that this needs. */
interface Source {
  heldLocks(): Promise<readonly HeldLock[]>;
  unlock(name: string, options: UnlockOptions): Promise<UnlockOutcome>;
}

/** The lock of a name as an operator may take it, or why not. */
export type LockToTake =
  | { readonly lock: HeldLock; readonly holder: string; readonly take: Take; readonly problem?: undefined }
  /** Without `lock`, the lock is free. */
  | { readonly lock?: HeldLock; readonly problem: string };

type Take = (by: Pick<UnlockOptions, "reason" | "author">) => Promise<UnlockOutcome & { readonly problem?: string }>;

/**
 * Finds the lock that an operator wants to take. `holder` says in words who has it: a process, or the hold of
 * a person. `take` takes that lock, and not the lock of a later run.
 *
 * @param what with `hold`, only a hold is ended: a run may have taken the lock since the operator looked
 */
export async function lockToTake(source: Source, name: string, what: "any" | "hold"): Promise<LockToTake> {
  const lock = (await source.heldLocks()).find((one) => one.name === name);
  const notOnHold = `"${name}" is not on hold`;
  if (lock === undefined) return { problem: what === "hold" ? notOnHold : `no process holds "${name}"` };
  const hold = holdOf(lock);
  const by =
    hold === undefined
      ? whom(lock.holder)
      : `the hold of ${visible(hold.author ?? lock.holder.host)} (${visible(hold.reason)})`;
  const holder = `${by}, since ${new Date(lock.since).toISOString()}`;
  if (what === "hold" && hold === undefined) return { lock, problem: `${notOnHold}: its lock is held by ${holder}` };
  const take: Take = async ({ reason, author }) => {
    const outcome = await source.unlock(name, { reason, fence: lock.fence, ...(author !== undefined && { author }) });
    if (outcome.unlocked) return outcome;
    return { ...outcome, problem: `${holder} does not hold "${name}" any more: nothing was done` };
  };
  return { lock, holder, take };
}
