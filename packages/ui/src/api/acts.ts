import { type PendingRetry, parseRunId, type UnlockOutcome } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { HOLD_TIME, type LockToTake, lockToTake } from "@ojm/core/internal/operator";
import type { RunNowOptions } from "@ojm/schedule";
import type { Endpoint } from "../contract/endpoint.js";
import { type ActRequest, actRequestSchema } from "../contract/requests.js";
import type { ActAnswer, ActName, Role } from "../contract/types.js";
import { Refusal } from "../security/refusal.js";
import { nextOf } from "../view/now/ticks.js";
import { summaryOf } from "../view/queues.js";
import { recordOf } from "../view/runs/items.js";
import { type Source, take } from "../view/source.js";
import type { Handler } from "./read.js";

/** How long an action waits for a process that starts a run, and for the end of a cancelled one, in ms. */
const WAIT = 10_000;

/** How long a hold waits for a run to end, in ms: a job that runs each second is hardly ever free. */
const HOLD_WAIT = 2_000;

const act = (name: ActName, role: Role, summary: string): Endpoint => ({
  ...{ id: name, method: "POST", path: `/api/v1/jobs/:name/${name}`, summary, role },
  ...{ body: actRequestSchema, answer: "act" },
});

/** The endpoints that change the store. */
export const actEndpoints: readonly Endpoint[] = [
  act("run-now", "operate", "Run a schedule now"),
  act("cancel", "operate", "Ask the run of a job to stop"),
  act("pause", "operate", "Pause a schedule"),
  act("resume", "operate", "End the pause of a schedule"),
  act("hold", "operate", "Prevent all runs of a job"),
  act("end-hold", "operate", "End a hold, and take no lock from a process"),
  act("backfill", "operate", "Run the ticks of a time that is over"),
  act("stop-backfill", "operate", "Stop the backfills of a schedule"),
  act("unlock", "admin", "Take a lock from its holder"),
  { ...act("cancel", "operate", "Ask a run to stop"), id: "cancel-run", path: "/api/v1/runs/:id/cancel" },
];

/** An action: the job, run or queue, the reason and the options. */
export interface Act extends ActRequest {
  readonly name: string;
  /** The id of the item, if it is on one. */
  readonly id?: string;
  /** The user and the address, for the audit. */
  readonly author: string;
}

/** Takes the action, and says what was done. */
type Doing = (source: Source, act: Act) => Promise<ActAnswer>;

/** How each action is taken, by the id of its endpoint. */
export const doings: Readonly<
  Record<Exclude<ActName, `queue-${string}` | `${string}maintenance`> | "cancel-run", Doing>
> = {
  ...{ "run-now": runNow, hold, "end-hold": endHold, pause, resume, backfill, "stop-backfill": stopBackfill },
  ...{ unlock, cancel, "cancel-run": cancel },
};

/** The handlers of actions, by the ids of their endpoints. `check`: rejects a name. */
export function actHandlers(
  source: Source,
  actions: Readonly<Record<string, Doing>> = doings,
  check?: (name: string) => Promise<void>,
): Readonly<Record<string, Handler>> {
  const handler =
    (doing: Doing): Handler =>
    async ({ params: { id = "", name = id }, body, viewer, address }) => {
      const request = body as ActRequest;
      await check?.(name);
      const { done, ...answer } = await doing(source, { ...request, name, id, author: `${viewer.user} (${address})` });
      source.hub.touch(name);
      return { done: source.mask(done), ...answer, ...(request.dryRun === true && { dryRun: true as const }) };
    };
  return Object.fromEntries(Object.entries(actions).map(([id, doing]) => [id, handler(doing)]));
}

async function runNow(source: Source, { name, reason, author, again, dryRun, ...asked }: Act): Promise<ActAnswer> {
  const { scheduler, manager } = source;
  if (dryRun === true) {
    await known(scheduler, name);
    return { done: `would start a run of "${name}", in the process that runs its schedule` };
  }
  const [last] = again === true ? await take(manager.history({ name, limit: 1 }), 1) : [];
  const args = asked.args ?? last?.args;
  const run = await scheduler.runNow(name, {
    reason,
    author,
    within: WAIT,
    ...(args && { args: args as NonNullable<RunNowOptions["args"]> }),
  });
  return { done: `"${name}" started`, run };
}

async function pause({ scheduler }: Source, { name, reason, author, until, dryRun }: Act): Promise<ActAnswer> {
  const end = until === undefined ? "until it is resumed" : `until ${iso(until)}`;
  if (dryRun === true) {
    await known(scheduler, name);
    checkFuture(until);
    return { done: `would pause the schedule "${name}" ${end}: its ticks are skipped` };
  }
  await scheduler.pause(name, { reason, author, ...(until !== undefined && { until }) });
  return { done: `the schedule "${name}" is paused ${end}: its ticks are skipped` };
}

async function resume({ scheduler }: Source, { name, reason, author, dryRun }: Act): Promise<ActAnswer> {
  const [next] = await nextOf(scheduler, name, 1);
  const then = next === undefined ? "" : `. Its next tick is at ${iso(next.at)}`;
  if (dryRun === true) {
    await known(scheduler, name);
    return { done: `would end the pause of the schedule "${name}"${then}` };
  }
  const wasPaused = await scheduler.resume(name, { reason, author });
  return { done: wasPaused ? `the schedule "${name}" is resumed${then}` : `the schedule "${name}" was not paused` };
}

async function backfill({ scheduler }: Source, act: Act): Promise<ActAnswer> {
  const { name, reason, author, from, to, again = false, dryRun } = act;
  if (from === undefined) throw new Refusal("INVALID", 'a backfill needs "from": the first tick to run');
  const span = `from ${iso(from)} to ${to === undefined ? "now" : iso(to)}`;
  const options = { from, reason, author, again, dryRun: dryRun === true, ...(to !== undefined && { to }) };
  const { ticks, toRun } = await scheduler.backfill(name, options);
  if (toRun === 0) {
    const why = ticks === 0 ? `"${name}" has no tick ${span}` : `all ticks of "${name}" ${span} were run already`;
    return { done: `${why}: there is nothing to do` };
  }
  const which = `${toRun === 1 ? "1 tick" : `${toRun} ticks`} of "${name}"`;
  if (dryRun === true) return { done: `would run ${which} ${span}, one after the other` };
  return { done: `${which} will be run, one after the other` };
}

async function stopBackfill({ scheduler }: Source, { name, reason, author, dryRun }: Act): Promise<ActAnswer> {
  const going =
    dryRun === true
      ? await take(scheduler.backfills(name), Number.POSITIVE_INFINITY)
      : await scheduler.stopBackfills(name, { reason, author });
  if (going.length === 0) throw new Refusal("NOT_FOUND", `no backfill of "${name}" is running`);
  const remaining = going.reduce((sum, one) => sum + one.remaining, 0);
  const what = `${going.length === 1 ? "the backfill" : `${going.length} backfills`} of "${name}"`;
  const rest = `${remaining === 1 ? "1 tick is" : `${remaining} ticks are`} not run. A run in progress is not stopped`;
  return { done: `${dryRun === true ? "would stop" : "stopped"} ${what}: ${rest}` };
}

async function hold(source: Source, { name, reason, author, until, dryRun }: Act): Promise<ActAnswer> {
  const { manager, scheduler } = source;
  if ((await summaryOf(source, name)) !== undefined && !(await hasSchedule(scheduler, name)))
    throw new Refusal("CONFLICT", `"${name}" is a queue, and a hold does not stop its items: pause the queue instead`);
  const end = until ?? Date.now() + HOLD_TIME;
  if (dryRun === true) {
    checkFuture(end);
    const isHeld = (await manager.heldLocks()).some((lock) => lock.name === name);
    const when = isHeld ? `, if its holder releases it within ${durationText(HOLD_WAIT)}` : "";
    return { done: `would prevent all runs of "${name}" until ${iso(end)}${when}` };
  }
  await manager.hold(name, { reason, author, until: end, wait: HOLD_WAIT });
  return { done: `"${name}" is held until ${iso(end)}` };
}

async function endHold(source: Source, act: Act): Promise<ActAnswer> {
  const { name, dryRun } = act;
  const found = await foundLock(source, name, "hold");
  if (dryRun === true) return { done: `"${name}": would end ${found.holder}` };
  await taken(found, act);
  return { done: `"${name}": ended ${found.holder}` };
}

async function unlock(source: Source, act: Act): Promise<ActAnswer> {
  const { name, dryRun } = act;
  const found = await foundLock(source, name, "any");
  if (dryRun === true) return { done: `would take "${name}" from ${found.holder}` };
  const { run } = await taken(found, act);
  const ended = run === undefined ? "" : `. Its run is ${run.status}`;
  return { done: `"${name}" unlocked: taken from ${found.holder}${ended}`, ...(run && { run: run.id }) };
}

type FoundLock = Extract<LockToTake, { readonly problem?: undefined }>;

async function foundLock({ manager }: Source, name: string, what: "any" | "hold"): Promise<FoundLock> {
  const found = await lockToTake(manager, name, what);
  if (found.problem !== undefined) throw new Refusal("NOT_FOUND", found.problem);
  return found;
}

async function taken(found: FoundLock, { reason, author }: Act): Promise<UnlockOutcome> {
  const { problem, ...outcome } = await found.take({ reason, author });
  if (problem !== undefined) throw new Refusal("NOT_FOUND", problem);
  return outcome;
}

async function cancel(source: Source, { name, reason, author, dryRun }: Act): Promise<ActAnswer> {
  const { manager } = source;
  const going = (await manager.openRecords()).find((one) => one.id === name || one.name === name);
  const next = going === undefined ? await nextAttemptOf(source, name) : undefined;
  const attempt = next && sayAttempt(next);
  if (dryRun === true) {
    if (attempt !== undefined) return { done: `would cancel ${attempt}: ${CHAIN_ENDS}` };
    if (going === undefined) throw new Refusal("NOT_FOUND", `"${name}" does not run`);
    return { done: `would cancel ${going.id} on ${going.holder.host}, pid ${going.holder.pid}`, run: going.id };
  }
  const { requested: asked, ended, run } = await manager.cancel(next?.chain ?? name, { reason, author, wait: WAIT });
  if (!asked) throw new Refusal("NOT_FOUND", `"${name}" does not run`);
  if (attempt !== undefined) {
    const done = ended ? `cancelled ${attempt}: ${CHAIN_ENDS}` : `asked ${attempt}, not to begin`;
    return { done, ...(run && { run: run.id }) };
  }
  if (run === undefined) throw new Refusal("NOT_FOUND", `"${name}" does not run`);
  const { id, status } = run;
  if (!ended) return { done: `"${run.name}" was asked to stop, and is still running`, run: id, pending: true };
  return { done: `the run of ${run.name} is ${status}`, run: id };
}

const CHAIN_ENDS = "it does not begin, and no other follows";

function sayAttempt({ name, attempt, retry, due }: PendingRetry): string {
  return `attempt ${attempt} of ${retry.attempts} of "${name}", due ${iso(due)}`;
}

/** The pending retry: of a job by its name, or of the retry series that a run belongs to. */
async function nextAttemptOf(source: Source, nameOrId: string): Promise<PendingRetry | undefined> {
  const [named] = await source.manager.retries(nameOrId);
  const ref = parseRunId(nameOrId);
  if (named !== undefined || ref === undefined) return named;
  const chain = (await recordOf(source, ref))?.chain ?? nameOrId;
  return (await source.manager.retries(ref.name)).find((one) => one.chain === chain);
}

async function hasSchedule(scheduler: Source["scheduler"], name: string): Promise<boolean> {
  for await (const _ of scheduler.schedules({ name })) return true;
  return false;
}

/** @throws ScheduleError `UNKNOWN` */
async function known(scheduler: Source["scheduler"], name: string): Promise<void> {
  await scheduler.next(name);
}

/** A dry run must reject what the action would reject. */
export function checkFuture(until: number | undefined): void {
  if (until !== undefined && until <= Date.now())
    throw new Refusal("INVALID", `until must be a time in the future, and not ${iso(until)}`);
}

/** A time as text. */
export function iso(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) throw new Refusal("INVALID", `${at} is not a time in ms since 1970`);
  return date.toISOString();
}
