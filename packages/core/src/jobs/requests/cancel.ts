import type { Channel } from "../../channel/channel.js";
import type { Locks } from "../../locks/locks.js";
import type { HeldLock } from "../../locks/types.js";
import type { Clock } from "../../util/clock.js";
import { recordOf } from "../records/orphans.js";
import { toRecord } from "../records/record.js";
import { parseRunId } from "../run-id.js";
import type { CancelOptions, CancelOutcome, RunRecord } from "../types.js";
import { checkRequest } from "./check-request.js";
import { untilClosed } from "./until-closed.js";

const WAIT = 10_000;
const OPTIONS = ["reason", "author", "wait", "signal"];

/** What a cancel needs of its manager. */
export interface Cancelling {
  readonly locks: Locks;
  readonly jobs: Channel<RunRecord>;
  readonly clock: Clock;
}

/** Asks a run to stop, and waits for its end. `nameOrId`: the name of a job, or the id of a run. */
export async function cancelRun(
  { locks, jobs, clock }: Cancelling,
  nameOrId: string,
  options: CancelOptions,
): Promise<CancelOutcome> {
  checkRequest("a cancel", nameOrId, options, OPTIONS);
  const { reason, author, wait = WAIT, signal } = options;
  const lock = await lockOf(locks, nameOrId);
  const entry = lock && (await recordOf(jobs, lock));
  if (lock === undefined || entry?.value.status !== "running") return { asked: false, ended: false };
  const ref = parseRunId(nameOrId);
  const isOther = nameOrId !== lock.name && ref?.startTime !== entry.value.startTime;
  if (isOther) return { asked: false, ended: false };
  await locks.operator.requestCancel(lock, { reason, author, run: toRecord(entry).id });
  const run = (await untilClosed({ jobs, key: entry.key, clock, wait, signal })) ?? toRecord(entry);
  return { asked: true, ended: run.status !== "running", run };
}

/** The lock of a job, or of the job of a run. A job may be called like the run of another. */
async function lockOf(locks: Locks, nameOrId: string): Promise<HeldLock | undefined> {
  const lock = await locks.find(nameOrId);
  const ref = parseRunId(nameOrId);
  return lock === undefined && ref !== undefined ? locks.find(ref.name) : lock;
}
