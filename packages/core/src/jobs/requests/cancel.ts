import type { Channel } from "../../channel/channel.js";
import type { Locks } from "../../locks/locks.js";
import type { HeldLock } from "../../locks/types.js";
import { isSignal } from "../../util/abort.js";
import type { Clock } from "../../util/clock.js";
import { RunError } from "../errors.js";
import { isMap } from "../options.js";
import { recordOf } from "../records/orphans.js";
import { toRecord } from "../records/record.js";
import { parseRunId } from "../run-id.js";
import type { CancelOptions, CancelOutcome, RunRecord } from "../types.js";
import { untilClosed } from "./until-closed.js";

const WAIT = 10_000;
const LONGEST_REASON = 1_000;

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
  const { reason, wait = WAIT, signal } = checkCancelOptions(nameOrId, options);
  const lock = await lockOf(locks, nameOrId);
  const entry = lock && (await recordOf(jobs, lock));
  if (lock === undefined || entry?.value.status !== "running") return { asked: false, ended: false };
  const ref = parseRunId(nameOrId);
  const isOther = nameOrId !== lock.name && ref?.startTime !== entry.value.startTime;
  if (isOther) return { asked: false, ended: false };
  await locks.operator.requestCancel(lock, reason);
  const run = (await untilClosed({ jobs, key: entry.key, clock, wait, signal })) ?? toRecord(entry);
  return { asked: true, ended: run.status !== "running", run };
}

/** The lock of a job, or of the job of a run. A job may be called like the run of another. */
async function lockOf(locks: Locks, nameOrId: string): Promise<HeldLock | undefined> {
  const lock = await locks.find(nameOrId);
  const ref = parseRunId(nameOrId);
  return lock === undefined && ref !== undefined ? locks.find(ref.name) : lock;
}

function checkCancelOptions(name: string, options: CancelOptions): CancelOptions {
  const refuse = (what: string): never => {
    throw new RunError("INVALID", String(name), what);
  };
  if (typeof name !== "string" || name === "") refuse("a cancel needs the name of a job or the id of a run");
  const { reason, wait = WAIT, signal } = (isMap(options) ? options : {}) as Partial<CancelOptions>;
  if (typeof reason !== "string" || reason === "" || reason.length > LONGEST_REASON) {
    refuse(`a cancel needs a reason, a text of at most ${LONGEST_REASON} characters`);
  }
  if (typeof wait !== "number" || !(wait >= 0)) refuse(`wait must be a number of ms, 0 or more, not ${String(wait)}`);
  if (signal !== undefined && !isSignal(signal)) refuse("signal must be an AbortSignal");
  return { ...options, wait: Math.min(wait, 2 ** 31 - 1) };
}
