import type { Locks } from "../../locks/locks.js";
import type { HeldLock } from "../../locks/types.js";
import { recordOf } from "../records/orphans.js";
import { toRecord } from "../records/record.js";
import type { RunContext } from "../run/context.js";
import { parseRunId } from "../run-id.js";
import type { CancelOptions, CancelOutcome } from "../types.js";
import { cancelPending } from "./cancel-pending.js";
import { checkRequest } from "./check-request.js";
import { untilClosed } from "./until-closed.js";

const WAIT = 10_000;
const OPTIONS = ["reason", "author", "audited", "wait", "signal"];

/** The answer where there is nothing to cancel. */
const NOBODY: CancelOutcome = { asked: false, ended: false };

/** Asks a run to stop, and waits for its end. `nameOrId`: the name of a job, or the id of a run. */
export async function cancelRun(context: RunContext, nameOrId: string, options: CancelOptions): Promise<CancelOutcome> {
  const wait = checkRequest("a cancel", nameOrId, options, { known: OPTIONS, wait: WAIT });
  const asked = await cancelHolder(context, nameOrId, { ...options, wait });
  // A rule of a program is about the run that it saw. A person wants that the job does not come again.
  if (asked.asked || options.audited === false) return asked;
  const run = await cancelPending(context, nameOrId, options);
  return run === undefined ? asked : { asked: true, ended: true, run };
}

/** Asks the run that holds the lock. */
async function cancelHolder(
  { locks, jobs, clock }: RunContext,
  nameOrId: string,
  { reason, author, audited = true, wait, signal }: CancelOptions & { readonly wait: number },
): Promise<CancelOutcome> {
  const lock = await lockOf(locks, nameOrId);
  const entry = lock && (await recordOf(jobs, lock));
  if (lock === undefined || entry?.value.status !== "running") return NOBODY;
  const ref = parseRunId(nameOrId);
  const isOther = nameOrId !== lock.name && ref?.startTime !== entry.value.startTime;
  if (isOther) return NOBODY;
  await locks.operator.requestCancel(lock, { reason, author, audited, run: toRecord(entry).id });
  const run = (await untilClosed({ jobs, key: entry.key, clock, wait, signal })) ?? toRecord(entry);
  return { asked: true, ended: run.status !== "running", run };
}

/** The lock of a job, or of the job of a run. A job may be called like the run of another. */
async function lockOf(locks: Locks, nameOrId: string): Promise<HeldLock | undefined> {
  const lock = await locks.find(nameOrId);
  const ref = parseRunId(nameOrId);
  return lock === undefined && ref !== undefined ? locks.find(ref.name) : lock;
}
