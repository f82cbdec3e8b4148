import { unknownOption } from "../channel/backend/config.js";
import type { Channel, ChannelOps } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import { auditOps } from "../jobs/audit.js";
import { isRunError, RunError, refusing } from "../jobs/errors.js";
import { closeRunOf, jobOf, recordOf } from "../jobs/records/orphans.js";
import { hasEnded, recordUnder } from "../jobs/records/read.js";
import { lockOf, recordKeyOf, toRecord } from "../jobs/records/record.js";
import { claimOf, optionsOfAttempt, pendingOf } from "../jobs/retry/pending.js";
import type { RunContext } from "../jobs/run/context.js";
import { startRun } from "../jobs/run/start-run.js";
import { parseRunId, runId } from "../jobs/run-id.js";
import type {
  CancelOptions,
  CancelOutcome,
  EndedBy,
  HoldOptions,
  PendingRetry,
  RunRecord,
  UnlockOptions,
  UnlockOutcome,
} from "../jobs/types.js";
import type { LocksValue } from "../locks/entries/schema.js";
import { isLockError } from "../locks/errors.js";
import type { HeldLock } from "../locks/types.js";
import { isSignal } from "../util/abort.js";
import { checkedDuration } from "../util/duration.js";
import { isMap, isOptional, isText, isTime, present } from "../util/shape.js";
import { visible } from "../util/text.js";
import { untilClosed } from "./until-closed.js";

const CANCEL_WAIT = 10_000;
const CANCEL_OPTIONS = ["reason", "author", "audited", "giveBack", "wait", "signal"];

/** The answer if there is nothing to cancel. */
const NOTHING_TO_CANCEL: CancelOutcome = { requested: false, ended: false };

/** Requests a run to stop, and waits for its end. `nameOrId`: the name of a job, or the id of a run. */
export async function cancelRun(context: RunContext, nameOrId: string, options: CancelOptions): Promise<CancelOutcome> {
  const wait = checkRequest("a cancel", nameOrId, options, { known: CANCEL_OPTIONS, wait: CANCEL_WAIT });
  const asked = await cancelHolder(context, nameOrId, { ...options, wait });
  // A program's rule cancels the run that it saw. A person also cancels the next attempt.
  if (asked.requested || options.audited === false) return asked;
  let run: RunRecord | undefined;
  for (const pending of await pendingFor(context, nameOrId)) run = (await cancelOne(context, pending, options)) ?? run;
  return run === undefined ? asked : { requested: true, ended: true, run };
}

/** Sends the request to the run that holds the lock. */
async function cancelHolder(
  { locks, jobs, clock }: RunContext,
  nameOrId: string,
  { reason, author, audited = true, giveBack = false, wait, signal }: CancelOptions & { readonly wait: number },
): Promise<CancelOutcome> {
  const found = await activeRunOf({ locks, jobs }, nameOrId);
  if (found === undefined) return NOTHING_TO_CANCEL;
  const { lock, entry } = found;
  const { id, name } = toRecord(entry);
  await locks.operator.requestCancel(lock, { reason, author, audited, giveBack, run: id, job: name });
  const closed = await untilClosed({ jobs, key: entry.key, clock, wait, signal });
  // The end of a run may delete its record.
  return { requested: true, ended: closed === undefined || hasEnded(closed), ...present({ run: closed }) };
}

interface Active {
  readonly lock: HeldLock;
  readonly entry: Entry<RunRecord>;
}

/**
 * The active run of a name, or with an id. The name of a job may look like the id of another job's run.
 *
 * @throws RunError `INVALID` if several runs of the name are active: each has a lock of its own
 */
async function activeRunOf(context: Pick<RunContext, "locks" | "jobs">, nameOrId: string): Promise<Active | undefined> {
  const { locks, jobs } = context;
  const isNamed = (one: Active | undefined): one is Active => one?.entry.value.name === nameOrId;
  const own = await activeIn(context, await locks.find(nameOrId));
  const ref = isNamed(own) ? undefined : parseRunId(nameOrId);
  const record = ref && (await recordUnder(jobs, recordKeyOf(ref)));
  const meant = record && (await activeIn(context, await locks.find(lockOf(record.value))));
  if (meant !== undefined && runId(meant.entry.value) === nameOrId) return meant;
  const named = [...(isNamed(own) ? [own] : []), ...(await othersOf(context, nameOrId))];
  if (named.length > 1) {
    const ids = named.map(({ entry }) => visible(toRecord(entry).id)).sort();
    const text = `${named.length} runs of "${nameOrId}" are active: cancel one of them by its id: ${ids.join(", ")}`;
    throw new RunError("INVALID", nameOrId, text);
  }
  return named[0];
}

/** The active runs of a name that have a lock of another name. */
async function othersOf(context: Pick<RunContext, "locks" | "jobs">, name: string): Promise<Active[]> {
  const locks = (await context.locks.list()).filter((lock) => lock.name !== name && jobOf(lock) === name);
  const found = await Promise.all(locks.map((lock) => activeIn(context, lock)));
  return found.filter((one) => one !== undefined);
}

async function activeIn({ jobs }: Pick<RunContext, "jobs">, lock: HeldLock | undefined): Promise<Active | undefined> {
  if (lock === undefined) return undefined;
  const entry = await recordOf(jobs, lock);
  return entry?.value.status === "running" ? { lock, entry } : undefined;
}

/** The pending attempts of a name, or that of the retry series with this id. */
async function pendingFor({ lockChannel }: RunContext, nameOrId: string): Promise<Entry<PendingRetry>[]> {
  const named = await pendingOf(lockChannel, nameOrId);
  const name = parseRunId(nameOrId)?.name;
  if (named.length > 0 || name === undefined) return named;
  return (await pendingOf(lockChannel, name)).filter(({ value: { chain } }) => chain === nameOrId);
}

/**
 * Ends a retry series that waits for its next attempt while the lock is free. The attempt begins in this
 * process, and ends as cancelled without a body. So the cancel has its record, and the process that waits to
 * make the attempt finds it made. Resolves to `undefined` if the attempt began at the same moment.
 *
 * @throws RunError `LOCKED` if another run, or a hold, has the lock
 */
async function cancelOne(
  context: RunContext,
  pending: Entry<PendingRetry>,
  { reason, author, signal }: CancelOptions,
): Promise<RunRecord | undefined> {
  const { name, chain, attempt, retry } = pending.value;
  const by = await context.locks.operator.holder();
  const who = { by, reason, ...present({ author }) };
  const act = { action: "cancel", name, ...who, details: { chain } };
  const noted = auditOps(context.lockChannel as Channel<LocksValue>, context.clock, act) as ChannelOps<unknown>;
  const claim = claimOf(context, pending, [noted]);
  // Its body does not begin, so it needs no permits and no token.
  const { permits: _, rate: __, ...terms } = optionsOfAttempt(pending.value);
  const options = { ...terms, wait: 0, claim, ...present({ signal }) };
  try {
    const run = await startRun(context, name, options, { attempt, chain, retry });
    run.requested({ name, fence: run.fence, action: "cancel", at: context.clock.now(), ...who });
    return await run.cancel(run.stopped instanceof Error ? run.stopped.message : reason);
  } catch (error) {
    // Its process, or another one, made the attempt at this moment.
    if (isRunError(error) && error.code === "LOST") return undefined;
    throw error;
  }
}

/** How long a hold lasts if the person names no end, in ms. */
export const HOLD_TIME = 86_400_000;

const HOLD_OPTIONS = ["reason", "author", "until", "wait", "signal"];

/** Takes the lock of a name for a person, who asked for it `at` this time. Resolves once it is held. */
export async function holdName(
  { locks, clock }: RunContext,
  name: string,
  options: HoldOptions,
  at: number,
): Promise<HeldLock> {
  const wait = checkHold(name, options, at);
  const { reason, author, until = at + HOLD_TIME, signal } = options;
  const end = clock.monotonic() + until - at;
  const hold = { reason, at, until, ...(author !== undefined && { author }) };
  try {
    const lease = await locks.acquire(name, { wait, ...(signal && { signal }) });
    const lock = await locks.operator.hold(lease, hold, end);
    if (lock !== undefined) return lock;
  } catch (error) {
    if (!isLockError(error)) throw error;
    const text = `"${name}" cannot be held: ${error.message}`;
    throw new RunError("LOCKED", name, text, { ...(error.held && { held: error.held }) });
  }
  throw new RunError("LOST", name, `"${name}" is not held: its lock was taken away at the same moment`);
}

function checkHold(name: string, options: HoldOptions, now: number): number {
  const wait = checkRequest("a hold", name, options, { known: HOLD_OPTIONS, wait: 0 });
  const refuse = refusing(name);
  const { until } = options;
  if (until !== undefined && !(isTime(until) && until > now)) {
    const past = isTime(until) ? `${new Date(until).toISOString()}, which is over` : String(until);
    refuse(`until must be a time in the future, in ms since 1970, not ${past}`);
  }
  return wait;
}

/** Takes the lock of a name from its holder, after closing its run. */
export async function unlockName(
  { locks, lockChannel, jobs, index, clock }: RunContext,
  name: string,
  options: UnlockOptions,
): Promise<UnlockOutcome> {
  const { reason, author, fence }: Partial<UnlockOptions> = isMap(options) ? options : {};
  const refuse = refusing(name);
  if (typeof reason !== "string" || reason === "") return refuse("a forced unlock needs a reason");
  if (!isOptional(author, isText)) refuse("author of a forced unlock must be a text");
  if (!isOptional(fence, isText)) refuse("fence of a forced unlock must be that of a lock: a text");
  let run: RunRecord | undefined;
  const lock = await locks.operator.forceUnlock(name, { reason, author, fence }, async (held, by) => {
    const endedBy: EndedBy = { action: "unlock", by, ...(author !== undefined && { author }), reason };
    const error = `unlocked by force: ${reason}`;
    const close = { endTime: clock.now(), status: "cancelled", error, endedBy } as const;
    run = await closeRunOf({ jobs, locks: lockChannel as Channel<LocksValue>, index }, held, close);
  });
  if (lock === undefined) return { unlocked: false, ...(run && { run }) };
  return { unlocked: true, holder: lock.holder, ...(run && { run }) };
}

/** The longest reason, or name of a person, in characters. */
const LONGEST_TEXT = 1_000;

/** The fields of every request of a person. */
type Request = Pick<HoldOptions, "reason" | "author" | "wait" | "signal">;

/**
 * Checks the name and the options of a cancel or a hold, and returns its `wait` in ms. With a misspelled
 * option, a hold would end at another time than the person meant.
 *
 * @throws RunError `INVALID`
 */
export function checkRequest(
  what: string,
  name: string,
  options: Request,
  { known, wait: usual }: { readonly known: readonly string[]; readonly wait: number },
): number {
  const refuse = refusing(name);
  if (typeof name !== "string" || name === "") refuse(`${what} needs the name of a job, a text that is not empty`);
  const given: Partial<Request> = isMap(options) ? options : {};
  const problem = unknownOption(what, given, known);
  if (problem !== undefined) refuse(problem);
  const { reason, author = "", signal } = given;
  if (typeof reason !== "string" || reason === "" || reason.length > LONGEST_TEXT) {
    refuse(`${what} needs a reason, a text of at most ${LONGEST_TEXT} characters`);
  }
  if (typeof author !== "string" || author.length > LONGEST_TEXT) {
    refuse(`author must be a text of at most ${LONGEST_TEXT} characters`);
  }
  if (signal !== undefined && !isSignal(signal)) refuse("signal must be an AbortSignal");
  return checkedDuration("wait", given.wait ?? usual, refuse, 0, Number.POSITIVE_INFINITY);
}
