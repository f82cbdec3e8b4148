import type { Channel } from "../channel/channel.js";
import { stopRequestOf } from "../jobs/audit.js";
import { recordOf } from "../jobs/records/orphans.js";
import { endVerb, hasEnded } from "../jobs/records/read.js";
import { lockOf, toRecord } from "../jobs/records/record.js";
import { isOrphaned, pendingOf } from "../jobs/retry/pending.js";
import type { RunContext } from "../jobs/run/context.js";
import { doneText } from "../jobs/run/done.js";
import { startsOf, startText } from "../jobs/run/once.js";
import { lineOf, readPermit, type Taking, takenText } from "../jobs/run/permits.js";
import { lineOfRate, Rate, usedUpText } from "../jobs/run/rates.js";
import type { AuditEntry, Reason, RunRecord } from "../jobs/types.js";
import type { LocksValue } from "../locks/entries/schema.js";
import { holdOf } from "../locks/entries/valid.js";
import { asker, holdText, waitersText, whom } from "../locks/entries/view.js";
import type { Locks } from "../locks/locks.js";
import type { HeldLock } from "../locks/types.js";
import { first } from "../util/iterate.js";
import { visible } from "../util/text.js";
import { historyOf } from "./history.js";
import { awaitedBy } from "./limits.js";

/** The number of waiters in the answer: as evidence, and in words. */
const WAITERS = 10;
const NAMED = 3;

/** The text about an attempt whose process is gone. */
const ORPHANED = ". Its process is gone: no process makes it";

/** Why a job does not run now, the most important reason first. */
export async function why(
  { locks, jobs, lockChannel, clock }: RunContext,
  name: string,
  takes?: Taking,
): Promise<Reason[]> {
  const [own, retries, last] = await Promise.all([
    locks.find(name),
    pendingOf(lockChannel, name),
    first(historyOf(jobs, name, { limit: 1 })),
  ]);
  const reasons: Reason[] = [];
  // The next run probably has the lock of the last one.
  const other = last === undefined || lockOf(last) === name ? undefined : await locks.find(lockOf(last));
  for (const lock of [other, own]) {
    if (lock === undefined) continue;
    const entry = await recordOf(jobs, lock);
    const run = entry?.value.status === "running" ? toRecord(entry) : undefined;
    const reason = await held(locks, name, lock, run);
    const asked = run && (await stopRequestOf(lockChannel as Channel<LocksValue>, run));
    const more = asked && { text: `${reason.text}${stopText(asked)}`, stopRequest: asked };
    reasons.push({ ...reason, ...more });
    if (lock.waiting > 0) reasons.push(await waiting(locks, lock, lock !== own));
  }
  const taking: Taking = takes ?? last ?? (await awaitedBy({ locks, lockChannel }, name));
  reasons.push(...(await permitsTaken({ locks, lockChannel }, taking.permits)));
  if (taking.rate !== undefined) reasons.push(...(await rateUsedUp({ locks, lockChannel, clock }, taking.rate)));
  for (const { value: next } of retries) {
    const due = new Date(next.due).toISOString();
    const after = `after: ${visible(next.error ?? "no reason")}`;
    const text = `attempt ${next.attempt} of ${visible(next.chain)} is due at ${due}, ${after}`;
    const gone = (await isOrphaned(locks.operator, next)) && { text: `${text}${ORPHANED}`, orphaned: ORPHANED };
    reasons.push({ code: "retry", text, ...gone, next });
  }
  const [start] = await startsOf(lockChannel, name);
  if (start !== undefined) reasons.push({ code: "once", text: startText(start) });
  const done = last && (await doneText(lockChannel, last));
  if (done !== undefined) reasons.push({ code: "once", text: done });
  if (last === undefined) reasons.push({ code: "never", text: `no run of "${visible(name)}" is stored` });
  else if (hasEnded(last)) reasons.push({ code: "last", text: lastText(last), run: last });
  return reasons;
}

async function held(locks: Locks, name: string, lock: HeldLock, run: RunRecord | undefined): Promise<Reason> {
  const hold = holdOf(lock);
  const which = lock.name === name ? "" : ` "${visible(lock.name)}"`;
  if (hold !== undefined)
    return { code: "maintenance", text: `${which && `its lock${which} is `}${holdText(hold)}`, lock };
  const gone = (await locks.operator.isGone(lock.holder))
    ? ", whose session has ended: the next run takes the lock over"
    : "";
  const since = new Date(lock.since).toISOString();
  const by = `${whom(lock.holder)}${gone}, since ${since}`;
  if (run?.name === name)
    return { code: "running", text: `it runs now${which && ` with the lock${which}`}, on ${by}`, lock, run };
  if (run !== undefined)
    return { code: "locked", text: `its lock${which} is held by ${visible(run.id)}, on ${by}`, lock, run };
  return { code: "locked", text: `its lock${which} is held without a run, by ${by}`, lock };
}

/** The permits that are all taken. The next run probably needs those that the last one had. */
async function permitsTaken(
  source: Pick<RunContext, "locks" | "lockChannel">,
  permits: RunRecord["permits"],
): Promise<Reason[]> {
  const reasons: Reason[] = [];
  for (const [name, limit] of Object.entries(permits ?? {})) {
    const state = await readPermit(source, name, limit);
    if (state.free.length > 0) continue;
    const line = await source.locks.find(lineOf(name));
    const waits =
      line === undefined ? "" : `. ${line.waiting === 0 ? "One run waits" : `${line.waiting + 1} runs wait`} for one`;
    reasons.push({ code: "permit", text: `${takenText(state)}${waits}` });
  }
  return reasons;
}

/** The rate of which no token is free. The next run probably needs that of the last one. */
async function rateUsedUp(
  { locks, lockChannel, clock }: Pick<RunContext, "locks" | "lockChannel" | "clock">,
  terms: NonNullable<RunRecord["rate"]>,
): Promise<Reason[]> {
  const rate = new Rate(lockChannel, terms, clock);
  await rate.read();
  if (rate.rest === 0) return [];
  const line = await locks.find(lineOfRate(terms.name));
  return [{ code: "rate", text: `${usedUpText(rate)}${waitingText(line)}` }];
}

/** The runs of one process have one place in the line. */
function waitingText(line: HeldLock | undefined): string {
  if (line === undefined) return "";
  return `. Runs of ${line.waiting === 0 ? "one process" : `${line.waiting + 1} processes`} wait for it`;
}

/** The text about a run that is still running after a request to stop. */
function stopText(asked: AuditEntry): string {
  const why = asked.reason === undefined ? "" : `: ${visible(asked.reason)}`;
  return `. It was asked to stop at ${new Date(asked.at).toISOString()}, by ${asker(asked)}${why}`;
}

async function waiting(locks: Locks, lock: HeldLock, isOther: boolean): Promise<Reason> {
  const { waiting } = lock;
  const waiters = await locks.waiters(lock.name, { limit: WAITERS });
  const who = waiters.length === 0 ? "" : `: ${waitersText(waiters, waiting, NAMED)}`;
  const which = isOther ? ` "${visible(lock.name)}"` : "";
  const text = waiting === 1 ? `one run waits for the lock${which}` : `${waiting} runs wait for the lock${which}`;
  return { code: "queue", text: `${text}${who}`, lock, waiters };
}

function lastText({ id, status, endDate, error }: RunRecord): string {
  const ended = endDate === undefined ? "" : ` at ${visible(endDate)}`;
  return `the last run, ${visible(id)}, ${endVerb(status)}${ended}${error === undefined ? "" : `: ${visible(error)}`}`;
}
