import type { ChannelOps } from "../../channel/channel.js";
import { knownValue } from "../../channel/encoding/prepared.js";
import { ChannelError, isChannelError } from "../../channel/errors.js";
import type { Entry, Key, Op, Version } from "../../channel/types.js";
import type { AtomicWrites, HolderSession, PreparedWrites } from "../../locks/atomic-writes.js";
import type { StopRequest } from "../../locks/entries/schema.js";
import { isLockError, type LockError } from "../../locks/errors.js";
import type { Lease } from "../../locks/hold/lease.js";
import { firstOf } from "../../util/abort.js";
import { present } from "../../util/shape.js";
import { isRunError, RunError } from "../errors.js";
import { runStarted } from "../events.js";
import { type CheckedOptions, checkRunOptions } from "../options.js";
import { isRecord } from "../records/read.js";
import type { RunOptions, RunRecord, StartClaim } from "../types.js";
import { inOneStore, moreFields, type RunContext } from "./context.js";
import { OnceClaim } from "./once.js";
import { OpenRun } from "./open-run.js";
import { Permits } from "./permits.js";
import { type Attempt, type Draft, RecordDraft } from "./record-draft.js";
import { NOT_BEGUN } from "./run-group.js";

/** The most refusals of the claim of a run. Of several runs with one claim, one succeeds each time. */
const MOST_REFUSALS = 1_000;

/** A run that is being started, and its writes in the commit that takes its lock. */
class Starting implements AtomicWrites {
  readonly name: string;
  /** The name of the lock. */
  readonly lock: string;
  readonly options: CheckedOptions;
  readonly draft: RecordDraft;
  readonly claim: StartClaim | undefined;
  readonly once: OnceClaim | undefined;
  /** Set if the lease ends before the run is open, because the run cannot receive the error yet. */
  over: LockError | undefined;
  readonly permits: Permits | undefined;
  #refusals = 0;
  /** Set if another process requests the run to stop before it is open. */
  request: StopRequest | undefined;
  run: OpenRun | undefined;
  readonly #context: RunContext;

  constructor(context: RunContext, name: string, options: CheckedOptions, attempt: Attempt | undefined) {
    this.name = name;
    this.lock = options.lock ?? name;
    this.options = options;
    this.draft = new RecordDraft(context, name, options, attempt);
    const { claim, once } = options;
    this.once = once && new OnceClaim(context, name, once, claim);
    this.claim = this.once ?? claim;
    this.permits = options.permits || options.rate ? new Permits(context, name, options) : undefined;
    this.#context = context;
  }

  /** The writes of the claim, and the record if it is in the same store. */
  prepare(session: HolderSession): PreparedWrites {
    const { jobs, index } = this.#context;
    const draft = this.draft.renew(session);
    const ops = openingOps(draft.key, knownValue(draft.text.started));
    const record = { channel: jobs, ops } as ChannelOps<unknown>;
    const indexed = (): ChannelOps<unknown>[] => index.addWith(record, draft.record);
    const written = draft.recorded === "all" ? indexed : () => [record];
    const others = inOneStore(this.#context) ? written() : undefined;
    return {
      noteText: noteText(draft, inOneStore(this.#context)),
      others: this.claim ? [...this.#claimed(draft.record), ...(others ?? [])] : others,
      ...this.permits?.prepare(draft.record, session.holder),
    };
  }

  #claimed(record: RunRecord): readonly ChannelOps<unknown>[] {
    return this.claim?.ops(record) ?? [];
  }

  async refused(): Promise<void> {
    if (this.claim !== undefined) await this.#claimRefused(this.claim);
    await this.permits?.refused();
    await this.draft.moveOn();
  }

  /** It would keep its place in line from others while it waits for the lock. */
  blocked(): void {
    this.permits?.leave();
  }

  /** A claim that continues with its old data would fail forever. */
  async #claimRefused(claim: StartClaim): Promise<void> {
    await claim.refused();
    if (++this.#refusals < MOST_REFUSALS) return;
    const text = `the claim of "${this.name}" was refused ${MOST_REFUSALS} times: its "refused" must read again what its "ops" check`;
    throw new RunError("INVALID", this.name, text);
  }

  /** The writes that undo the claim of a run that could not start, in the commit that frees its lock. */
  undo(record: RunRecord, fence: Version): AtomicWrites | undefined {
    let others = this.claim?.undo?.(record, fence);
    if (others === undefined) return undefined;
    return {
      prepare: () => ({ others }),
      // Another process has written the entries that this run claimed: leave them.
      refused: () => {
        others = [];
      },
    };
  }

  onRequest(request: StopRequest): void {
    this.request = request;
    this.run?.requested(request);
  }

  onRemoved(): boolean {
    return this.run?.lockRemoved() ?? false;
  }

  /** The run closes its record and releases the lock in the same step. */
  onLeaseOver(error: LockError): void {
    this.over = error;
    this.run?.leaseOver(error);
  }
}

/** Takes a lock and writes the record of the run: in one commit if one store has both, else lock first. */
export async function startRun(
  context: RunContext,
  name: string,
  options: RunOptions,
  attempt?: Attempt,
): Promise<OpenRun> {
  context.starting.begin();
  try {
    const checked = checkRunOptions(name, options);
    if (context.closing.aborted) throw closedError();
    const starting = new Starting(context, name, checked, attempt);
    let lease: Lease;
    try {
      // Do this first: a run that will be skipped must not wait for the lock.
      await starting.once?.check();
      if (starting.lock !== name || starting.permits !== undefined) await context.raiseFormat();
      await starting.permits?.read();
      lease = await acquire(context, starting);
      starting.permits?.started(lease.fence);
    } catch (error) {
      throw context.closing.aborted && !isRunError(error) ? closedError() : await explained(starting, error);
    } finally {
      starting.permits?.leave();
    }
    const run = inOneStore(context)
      ? open(context, starting, lease, starting.draft.current(lease.session), lease.fence)
      : await openAfterLock(context, starting, lease);
    // A run can be over already. Its close may still be under way, and the manager's close must wait for it.
    if (!run.settled) context.onOpen(run);
    if (context.closing.aborted) {
      // A run that must be made is handed over to another process.
      await (run.isAwaited ? run.handOver(NOT_BEGUN) : run.abandon(NOT_BEGUN)).catch(() => {});
      throw closedError();
    }
    if (checked.signal !== undefined) run.cancelOn(checked.signal);
    return run;
  } finally {
    context.starting.end();
  }
}

/** Waits for the lock until one of the signals fires, or the runs are closed. */
async function acquire({ locks, waitUntil }: RunContext, starting: Starting): Promise<Lease> {
  const { lock, options } = starting;
  const { signal, waitSignal } = options;
  const signals = [signal, waitSignal, waitUntil].filter((one) => one !== undefined);
  const canWait = options.wait > 0 && (waitSignal !== undefined || waitUntil !== undefined);
  if (!canWait && !signals.some(({ aborted }) => aborted)) return locks.acquire(lock, options, starting);
  const first = firstOf(...signals);
  try {
    return await locks.acquire(lock, { ...options, signal: first.signal }, starting);
  } finally {
    first.forget();
  }
}

/** With two stores: writes the record under a lock that was taken. */
async function openAfterLock(context: RunContext, starting: Starting, lease: Lease): Promise<OpenRun> {
  const { locks } = context;
  try {
    return await writeRecord(context, starting, lease);
  } catch (error) {
    // Keep the lock if the record may be in the store: only the lock leads a later check to the record.
    const { record } = starting.draft.current(lease.session);
    if (isNotWritten(error)) await locks.release(lease, starting.undo(record, lease.fence)).catch(() => {});
    else locks.abandon(lease);
    throw error;
  }
}

export function closedError(): ChannelError {
  return new ChannelError("CLOSED", "this manager is closed");
}

function openingOps(key: Key, record: RunRecord): Op<RunRecord>[] {
  return [
    { check: key, version: null },
    { put: key, value: record },
  ];
}

async function writeRecord(context: RunContext, starting: Starting, lease: Lease): Promise<OpenRun> {
  const { jobs, index } = context;
  const { draft } = starting;
  const { session } = lease;
  for (;;) {
    const { record: drafted, ...rest } = draft.current(session);
    const record = { ...drafted, holder: session.holder, fence: lease.fence };
    const outcome = await jobs.commitWith<unknown[]>(openingOps(rest.key, record), index.add(record));
    if (outcome.ok) return open(context, starting, lease, { ...rest, record }, outcome.version);
    const current = outcome.failed[0]?.current as Entry<RunRecord> | undefined;
    if (current !== undefined && isRecord(current) && current.value.fence === lease.fence)
      return adopt(context, starting, lease, { ...rest, record: current.value }, current.version);
    await draft.moveOn();
    draft.renew(session);
  }
}

/** The record exists: the driver repeated the write, or another process closed the run before it opened. */
function adopt(context: RunContext, starting: Starting, lease: Lease, draft: Draft, version: string): OpenRun {
  const { record } = draft;
  if (record.status === "running") return open(context, starting, lease, draft, version);
  const text = `the run of "${starting.name}" was closed by another process before it began: ${record.error ?? record.status}`;
  throw new RunError("LOST", starting.name, text);
}

function open(context: RunContext, starting: Starting, lease: Lease, draft: Draft, version: string): OpenRun {
  context.times.taken(starting.name, draft.record.startTime);
  const run = new OpenRun(context, lease, draft, version, starting.claim);
  starting.run = run;
  runStarted.publish(() => ({ record: { ...draft.record, fence: lease.fence } }));
  // End the run now if its time is over: the write may have taken long, and the timers may be late.
  lease.expire();
  if (starting.over !== undefined) run.leaseOver(starting.over);
  if (starting.request !== undefined) run.requested(starting.request);
  return run;
}

/**
 * The lock's note about the run. If the process dies before it wrote the record, the note has the fields for
 * one. With two stores it includes the args, because the next attempt needs them. With one store, the record
 * in the same commit has them.
 */
function noteText({ record, extras }: Draft, hasRecord: boolean): string {
  const { name, startTime } = record;
  if (extras === undefined) return `{"run":${startTime}}`;
  const { meta: _, lock, args, ...noted } = extras;
  const map = hasRecord || args === undefined ? noted : { ...noted, args };
  const run = lock === undefined ? `"run":${startTime}` : `"of":{"name":${JSON.stringify(name)},"run":${startTime}}`;
  return `{${run}${moreFields(map)}}`;
}

/** The error for a run that did not get its lock. */
async function explained({ name, lock, options, claim, permits }: Starting, error: unknown): Promise<unknown> {
  const fired = [options.signal, options.waitSignal].find((signal) => signal?.aborted === true);
  // The holder of the lock may be a run for the same tick. Then the claim throws the error.
  if (isLockError(error) && fired === undefined) await claim?.refused();
  const aborted = isLockError(error) || (isChannelError(error) && error.code === "ABORTED");
  if (fired !== undefined && aborted) {
    return new RunError("CANCELLED", name, `the wait for "${name}" was cancelled`, { cause: fired.reason });
  }
  if (!isLockError(error)) return error;
  const which = lock === name ? "" : ` by the lock '${lock}'`;
  const text = `Can't lock to execute job '${name}'${which}: ${error.message}`;
  return new RunError("LOCKED", name, text, present({ held: error.held, ...permits?.missing }));
}

/** Whether our record is certainly not open in the store. After an error of a driver that is unknown. */
function isNotWritten(error: unknown): boolean {
  return isRunError(error) || (isChannelError(error) && error.outcome === "not-applied");
}
