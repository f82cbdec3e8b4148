import type { Channel, ChannelOps } from "../../channel/channel.js";
import { readable, unlessCorrupt } from "../../channel/corrupt.js";
import { compareVersions } from "../../channel/encoding/version.js";
import type { Entry, Key, KeyWatch, Op } from "../../channel/types.js";
import { isHolder } from "../../locks/entries/valid.js";
import type { Operator } from "../../locks/operator.js";
import type { Holder } from "../../locks/types.js";
import type { Clock } from "../../util/clock.js";
import { fieldsOf, isCount, isOptional, isSpan, isText, isTime, present } from "../../util/shape.js";
import { RunError } from "../errors.js";
import { isOnceLock } from "../once-lock.js";
import { runId } from "../run-id.js";
import type { PendingRetry, RetryPolicy, Run, RunOptions, RunRecord, StartClaim } from "../types.js";
import { delayAfter, hasPolicyFields, isPolicy, isTriedAgain } from "./policy.js";

/*
 * The next attempt of a retry series is an entry in the channel of the locks, under ["retry", NAME, CHAIN].
 * The commit that frees the lock of a failed attempt writes it, and the commit that takes the lock for the
 * next attempt deletes it. So the entry exists exactly as long as the next attempt is pending.
 */

/** How long an attempt that no process makes stays in the store, in ms: 30 days. */
const RETRY_TTL = 30 * 86_400_000;

export const retryKey = (name: string, chain: string): Key => ["retry", name, chain];

/**
 * Whether an entry is the next attempt of a retry series. With an unknown backoff, it is not: this version
 * would make the later attempts at the wrong times, so it leaves the series to processes that know it.
 */
export function isPending(entry: { readonly key: Key; readonly value: unknown }): boolean {
  return hasPendingFields(entry) && isPolicy(fieldsOf<PendingRetry>(entry.value)?.retry);
}

/** Whether an entry is a pending attempt, perhaps with the backoff of a later version of ojm. */
export function hasPendingFields({ key, value }: { readonly key: Key; readonly value: unknown }): boolean {
  const pending = fieldsOf<PendingRetry>(value);
  if (pending === undefined || !Array.isArray(key) || key[1] !== pending.name || key[2] !== pending.chain) return false;
  const { attempt, due, retry, by, trigger, timeout, lock, permits, rate, schedule, tick, args, meta, error } = pending;
  const isDue = isCount(attempt) && isTime(due) && hasPolicyFields(retry) && isText(trigger) && isSpan(timeout);
  if (!isOptional(lock, isText)) return false;
  const isScheduled = isOptional(schedule, isText) && isOptional(tick, isTime);
  const areMaps = [args, meta, permits, rate].every((one) => isOptional(one, (map) => fieldsOf(map) !== undefined));
  return isDue && isScheduled && areMaps && isOptional(by, isHolder) && isOptional(error, isText);
}

/** The next attempt after a closed record; `undefined` if there is none. `by`: the process that makes it. */
export function nextAttempt(record: RunRecord, by: Holder | undefined): PendingRetry | undefined {
  const { retry, attempt = 1, endTime = record.startTime } = record;
  if (record.handedOver === true) {
    // The next call with its key runs its own body.
    if (isOnceLock(record)) return undefined;
    return { ...pendingAfter(record, retry ?? NO_POLICY, endTime, undefined), attempt, handedOver: true };
  }
  if (retry === undefined || !isTriedAgain(record)) return undefined;
  return pendingAfter(record, retry, endTime + delayAfter(retry, attempt), by);
}

/**
 * The attempt that replaces one that never began. It is due at once. The one that never began does not count:
 * it is replaced even if the policy allows no further attempt or no retry of a lost run, and even if there is
 * no policy.
 */
export function madeUpFor(record: RunRecord): PendingRetry {
  const { retry = NO_POLICY, endTime = record.startTime } = record;
  return pendingAfter(record, { ...retry, attempts: retry.attempts + 1 }, endTime, undefined);
}

const NO_POLICY: RetryPolicy = { attempts: 1, delay: 0, backoff: "fixed", maxDelay: 0, onLost: false };

function pendingAfter(record: RunRecord, retry: RetryPolicy, due: number, by: Holder | undefined): PendingRetry {
  const { name, attempt = 1, chain = runId(record), trigger, timeout } = record;
  const { lock, permits, rate, schedule, tick, args, meta, error } = record;
  return {
    name,
    chain,
    attempt: attempt + 1,
    due,
    retry,
    trigger,
    timeout,
    ...(lock !== undefined && { lock }),
    ...(permits !== undefined && { permits }),
    ...(rate !== undefined && { rate }),
    ...(by !== undefined && { by }),
    ...(schedule !== undefined && { schedule }),
    ...(tick !== undefined && { tick }),
    ...(args !== undefined && { args }),
    ...(meta !== undefined && { meta }),
    ...(error !== undefined && { error }),
  };
}

/** The op that writes the next attempt, in the commit that frees the lock of the failed one. */
export function pendingOp(pending: PendingRetry, now: number): Op<unknown> {
  const ttl = Math.max(0, pending.due - now) + RETRY_TTL;
  return { put: retryKey(pending.name, pending.chain), value: pending, ttl };
}

/**
 * Whether a run comes after another one in its retry series. A run that was handed over is repeated as the
 * same attempt: the fences show which of the two is later, because clocks may differ.
 */
export function follows(
  later: Pick<Partial<RunRecord>, "chain" | "attempt" | "fence">,
  run: Pick<RunRecord, "name" | "startTime" | "attempt" | "chain" | "handedOver" | "fence">,
): boolean {
  const { attempt = 1, chain = runId(run), handedOver, fence } = run;
  const { attempt: number = 1 } = later;
  if (later.chain !== chain || number < attempt) return false;
  if (number > attempt) return true;
  const areKnown = later.fence !== undefined && fence !== undefined;
  return handedOver === true && areKnown && compareVersions(later.fence, fence) > 0;
}

/** The next attempts of one name, or of all names. */
export async function pendingOf(locks: Channel<unknown>, name?: string): Promise<Entry<PendingRetry>[]> {
  const found: Entry<PendingRetry>[] = [];
  const prefix = name === undefined ? ["retry"] : ["retry", name];
  for await (const entry of readable(locks, { prefix })) if (isPending(entry)) found.push(entry as Entry<PendingRetry>);
  return found;
}

/** The next attempt of a retry series; `undefined` if there is none. */
export async function pendingUnder(
  locks: Channel<unknown>,
  name: string,
  chain: string,
): Promise<Entry<PendingRetry> | undefined> {
  const entry = await unlessCorrupt(locks.entry(retryKey(name, chain)));
  return entry !== undefined && isPending(entry) ? (entry as Entry<PendingRetry>) : undefined;
}

/** Whether the next attempt of a retry series is in the store, perhaps with an unknown backoff. */
export async function isStored(locks: Channel<unknown>, { name, chain }: PendingRetry): Promise<boolean> {
  const entry = await unlessCorrupt(locks.entry(retryKey(name, chain)));
  return entry !== undefined && hasPendingFields(entry);
}

/** The options of a run that makes a pending attempt. */
export function optionsOfAttempt({
  trigger,
  timeout,
  lock,
  permits,
  rate,
  args,
  meta,
}: PendingRetry): Pick<RunOptions, "trigger" | "timeout" | "lock" | "permits" | "rate" | "args" | "meta"> {
  return { trigger, timeout, ...present({ lock, permits, rate, args, meta }) };
}

interface Attempts {
  readonly lockChannel: Channel<unknown>;
  readonly clock: Clock;
}

/** Removes the pending attempt in the commit of its lock, so that one process makes it, with `more` ops. */
export function claimOf(
  { lockChannel: channel, clock }: Attempts,
  { key, value, version }: Entry<PendingRetry>,
  more: readonly ChannelOps<unknown>[] = [],
): StartClaim {
  const { name, chain, attempt, schedule, tick } = value;
  return {
    ...(schedule !== undefined && tick !== undefined && { tick: { schedule, at: tick } }),
    ops: () => [{ channel, ops: [{ check: key, version }, { delete: key }] }, ...more],
    refused: async () => {
      if ((await pendingUnder(channel, name, chain))?.version === version) return;
      throw new RunError("LOST", name, `attempt ${attempt} of "${name}" was made or cancelled by another process`);
    },
    undo: () => [{ channel, ops: [{ check: key, version: null }, pendingOp(value, clock.now())] }],
  };
}

/**
 * Watches the entry of a pending attempt. A cancel from another process removes the entry, and the waiting
 * program must notice it before the attempt is due, which may be hours later. Without watches in the store,
 * it reports nothing.
 */
export class PendingWatch {
  readonly #watch: KeyWatch | undefined;
  #change: AbortController = new AbortController();

  constructor(channel: Channel<unknown>, key: Key) {
    if (!channel.supports.watch) return;
    const notice = (): void => this.#change.abort();
    this.#watch = channel.watchKey(key, { changed: notice, gap: notice, failed() {} });
    // The watch does not report changes from before it was ready.
    this.#watch.ready.then(notice, () => {});
  }

  /** Fires when the entry may have changed. */
  get changed(): AbortSignal {
    return this.#change.signal;
  }

  /** From now on, `changed` fires at the next change. Call it before the entry is read. */
  again(): void {
    this.#change = new AbortController();
  }

  stop(): void {
    this.#watch?.stop();
  }
}

/** Whether the process of an attempt is gone, or there was none. */
export async function isOrphaned(operator: Operator, { by }: PendingRetry): Promise<boolean> {
  return by === undefined || (await operator.isGone(by));
}

/** The orphaned attempts: of one name, of all names, or of those that were just read. */
export async function orphanedRetriesOf(
  operator: Operator,
  channel: Channel<unknown>,
  of?: string | readonly PendingRetry[],
): Promise<readonly PendingRetry[]> {
  const isRead = typeof of === "object";
  const all = isRead ? of : (await pendingOf(channel, of)).map(({ value }) => value);
  const left = await Promise.all(all.map((next) => isOrphaned(operator, next)));
  return all.filter((_, i) => left[i]);
}

/** Removes an orphaned attempt, under the lock of a run. Resolves to whether it was still orphaned. */
export async function endOrphanedRetry(
  channel: Channel<unknown>,
  run: Run,
  { name, chain, by }: PendingRetry,
): Promise<boolean> {
  const entry = await pendingUnder(channel, name, chain);
  // Another process may have taken it over at this moment.
  if (entry === undefined || entry.value.by?.instance !== by?.instance) return false;
  const key = retryKey(name, chain);
  const { ok } = await run.fenced(channel, [{ check: key, version: entry.version }, { delete: key }]);
  return ok;
}
