import { unlessCorrupt } from "../channel/corrupt.js";
import { runOf } from "../jobs/records/orphans.js";
import { records } from "../jobs/records/read.js";
import { lockOf, toRecord } from "../jobs/records/record.js";
import { follows, PendingWatch, pendingUnder, retryKey } from "../jobs/retry/pending.js";
import { isTriedAgain } from "../jobs/retry/policy.js";
import type { RunContext } from "../jobs/run/context.js";
import { runId } from "../jobs/run-id.js";
import type { RunRecord } from "../jobs/types.js";
import { lockKey } from "../locks/entries/schema.js";
import { pause } from "../util/abort.js";
import { fieldsOf } from "../util/shape.js";

/** The polling interval without and with a watch, in ms. */
const POLL = 250;
const POLL_WATCHED = 5_000;

/** The number of newest records of the name that are searched for the next attempt. */
const NEWEST_RECORDS = 1_000;

/** How far the clock of the process that makes it may be behind, in ms. */
const CLOCK_SKEW = 3_600_000;

/** The terms of a wait for an attempt. */
interface Wait {
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

type Context = Pick<RunContext, "jobs" | "lockChannel" | "clock" | "closing">;

/** The known state of the attempt that follows a run. */
interface Look {
  readonly next?: RunRecord;
  /** Whether it waits for its time, or begins at this moment. */
  readonly isComing: "pending" | "begins" | false;
}

/**
 * Waits until the attempt that follows a run has begun, in any process. Resolves to its record; `undefined`
 * if none follows, or after `timeout`, or when `signal` fires.
 */
export async function nextAttemptOf(context: Context, run: RunRecord, wait: Wait): Promise<RunRecord | undefined> {
  const { lockChannel, clock, closing } = context;
  const { name, status, chain = runId(run), handedOver } = run;
  // A tick whose run never began is repeated even without a policy: such a run is lost or cancelled.
  if (!isTriedAgain(run) && status !== "lost" && status !== "cancelled" && handedOver !== true) return undefined;
  const until = clock.monotonic() + wait.timeout;
  const watch = new PendingWatch(lockChannel, retryKey(name, chain));
  const asked = wait.signal === undefined ? [closing] : [closing, wait.signal];
  try {
    // An attempt may begin and end between the reads of a round: only two empty rounds prove its absence.
    for (let nothing = 0; nothing < 2; ) {
      watch.again();
      const { next, isComing } = await look(context, run, chain);
      const left = until - clock.monotonic();
      if (next !== undefined || left <= 0 || wait.signal?.aborted === true) return next;
      nothing = isComing === false ? nothing + 1 : 0;
      const isWatched = isComing === "pending" && lockChannel.supports.watch;
      if (isComing) await pause(clock, Math.min(left, isWatched ? POLL_WATCHED : POLL), [...asked, watch.changed]);
    }
    return undefined;
  } finally {
    watch.stop();
  }
}

/**
 * Read in the order in which an attempt passes these places. With two stores, the lock is freed after the
 * previous record was closed, and taken before the next record is written.
 */
async function look({ jobs, lockChannel }: Context, run: RunRecord, chain: string): Promise<Look> {
  const { name } = run;
  const lock = await unlessCorrupt(lockChannel.get(lockKey(lockOf(run))));
  const held = runOf({ name, note: fieldsOf<{ note: unknown }>(lock)?.note });
  const { startTime } = held;
  const isHeld = startTime !== undefined && (held.chain ?? runId({ name: held.name, startTime })) === chain;
  const pending = await pendingUnder(lockChannel, name, chain);
  for await (const entry of records(jobs, { prefix: { name }, reverse: true, limit: NEWEST_RECORDS })) {
    const { value } = entry;
    const record = toRecord(entry);
    if (follows(record, run)) return { next: record, isComing: false };
    if (value.startTime < run.startTime - CLOCK_SKEW) break;
  }
  return { isComing: pending !== undefined ? "pending" : isHeld ? "begins" : false };
}
