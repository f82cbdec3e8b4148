import { unlessCorrupt } from "../channel/corrupt.js";
import { runOf } from "../jobs/records/orphans.js";
import { records } from "../jobs/records/read.js";
import { toRecord } from "../jobs/records/record.js";
import { follows, PendingWatch, pendingUnder, retryKey } from "../jobs/retry/pending.js";
import { isTriedAgain } from "../jobs/retry/policy.js";
import type { RunContext } from "../jobs/run/context.js";
import { runId } from "../jobs/run-id.js";
import type { RunRecord } from "../jobs/types.js";
import { lockKey } from "../locks/entries/schema.js";
import { firstOf, whenAborted } from "../util/abort.js";
import { fieldsOf } from "../util/shape.js";

/** How often to look where no watch tells of the change, in ms. */
const POLL = 250;
const POLL_WATCHED = 5_000;

/** How many of the newest records of the name may be the next attempt. */
const NEWEST_RECORDS = 1_000;

/** By how much the clock of the process that makes it may be behind, in ms. */
const CLOCK_SKEW = 3_600_000;

/** How to wait for an attempt. */
interface Wait {
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

type Context = Pick<RunContext, "jobs" | "lockChannel" | "clock" | "closing">;

/** What is known of the attempt that follows a run. */
interface Look {
  readonly next?: RunRecord;
  /** It waits for its time, or begins at this moment. */
  readonly isComing: "pending" | "begins" | false;
}

/**
 * Waits until the attempt that follows a run has begun, in whatever process. Resolves to its record;
 * `undefined` if none follows, or after `timeout`, or when `signal` fires.
 */
export async function nextAttemptOf(context: Context, run: RunRecord, wait: Wait): Promise<RunRecord | undefined> {
  const { lockChannel, clock, closing } = context;
  const { name, status, chain = runId(run), handedOver } = run;
  // A tick whose run never began is made up for, also without a policy: such a run is lost or cancelled.
  if (!isTriedAgain(run) && status !== "lost" && status !== "cancelled" && handedOver !== true) return undefined;
  const until = clock.monotonic() + wait.timeout;
  const watch = new PendingWatch(lockChannel, retryKey(name, chain));
  const asked = wait.signal === undefined ? [closing] : [closing, wait.signal];
  try {
    // An attempt may begin, and end, between the reads of one look: only two that find nothing prove it.
    for (let nothing = 0; nothing < 2; ) {
      watch.again();
      const { next, isComing } = await look(context, run, chain);
      const left = until - clock.monotonic();
      if (next !== undefined || left <= 0 || wait.signal?.aborted === true) return next;
      nothing = isComing === false ? nothing + 1 : 0;
      const isTold = isComing === "pending" && lockChannel.supports.watch;
      if (isComing) await pause(context, Math.min(left, isTold ? POLL_WATCHED : POLL), [...asked, watch.changed]);
    }
    return undefined;
  } finally {
    watch.stop();
  }
}

/**
 * In the order in which an attempt passes these places: with two stores, the lock is freed after the record
 * before it was closed, and taken before the record after it is written.
 */
async function look({ jobs, lockChannel }: Context, run: RunRecord, chain: string): Promise<Look> {
  const { name } = run;
  const lock = await unlessCorrupt(lockChannel.get(lockKey(name)));
  const held = runOf({ note: fieldsOf<{ note: unknown }>(lock)?.note });
  const isHeld = held.startTime !== undefined && (held.chain ?? runId({ name, startTime: held.startTime })) === chain;
  const pending = await pendingUnder(lockChannel, name, chain);
  for await (const entry of records(jobs, { prefix: { name }, reverse: true, limit: NEWEST_RECORDS })) {
    const { value } = entry;
    const record = toRecord(entry);
    if (follows(record, run)) return { next: record, isComing: false };
    if (value.startTime < run.startTime - CLOCK_SKEW) break;
  }
  return { isComing: pending !== undefined ? "pending" : isHeld ? "begins" : false };
}

async function pause({ clock }: Context, ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const { signal, forget } = firstOf(...signals);
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve, true);
      whenAborted(signal, () => {
        cancel();
        resolve();
      });
    });
  }
  forget();
}
