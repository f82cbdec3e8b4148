import type { Op, StartingRun, Version } from "@ojm/core";
import { lastTick } from "../calendar/search.js";
import { range, type Why } from "../decide/outcomes.js";
import { calendarOf } from "../definition/calendar.js";
import { outcomeOps } from "../store/outcome-ops.js";
import {
  type RequestValue,
  requestKey,
  type SchedulesValue,
  type TickValue,
  tickKey,
  unrunKey,
} from "../store/schema.js";
import type { ScheduleStore, Versioned } from "../store/store.js";
import { isTick } from "../store/valid.js";
import { type Request, RequestClaim } from "./claim-request.js";
import type { Host, OwnSchedule } from "./host.js";
import { type StartOptions, startRun } from "./start.js";

/** The pause before the cursor is looked at again, in ms. */
const MOMENT = 1_000;

/** An outcome in the store, and the tick of its entry. */
interface Found extends Versioned<TickValue> {
  readonly at: number;
}

/**
 * Runs the next tick of a backfill, and resolves when that run is over to what is left of the request;
 * `undefined` if nothing is. How far it is, is in the store: another process goes on with it.
 */
export async function backfillNext(
  host: Host,
  own: OwnSchedule,
  request: Request,
  options: StartOptions,
): Promise<Request | undefined> {
  const { store } = host;
  const { name, value } = request;
  const calendar = calendarOf(own.definition);
  const { from = 0, to = 0, again } = value;
  for (let at = calendar.next(from); at <= to; at = calendar.next(at)) {
    const found = await outcomeAt(store, name, at);
    if (found?.value.outcome === "run" && again !== true) continue;
    if (!(await isDecided(store, name, at))) return request;
    let moved: RequestValue = { ...value, from: at };
    const answer = ({ id }: StartingRun): RequestValue => {
      moved = { ...moved, last: id };
      return moved;
    };
    const claim = new RequestClaim(store, request, answer, {
      tick: { schedule: name, at },
      ops: (run) => replaceOps(store, own, { at, found, run, request }),
      undo: (run, version) => undoOps(store, { name, at, run, request, version }),
      holds: async () => (await outcomeAt(store, name, at))?.version === found?.version,
    });
    const trigger = `backfill by ${value.by}: ${value.reason}`.slice(0, 1_000);
    const { version, ended } = await startRun(host, own, claim, { ...options, trigger });
    await ended.catch(() => {});
    return { ...request, value: moved, version };
  }
  const key = requestKey(name, request.id);
  await store.channel.commit([{ check: key, version: request.version }, { delete: key }]);
  return undefined;
}

/**
 * Whether the cursor has passed a tick. A tick that it has not passed may still become a part of a range,
 * which would not see the run. Waits a moment if it has not.
 */
async function isDecided(store: ScheduleStore, name: string, at: number): Promise<boolean> {
  const cursor = await store.cursor(name);
  if (cursor !== undefined && cursor.value.at >= at) return true;
  await new Promise<void>((resolve) => void store.clock.after(MOMENT, resolve));
  return false;
}

/** The outcome of a tick, also as a part of a range. */
async function outcomeAt({ channel }: ScheduleStore, name: string, at: number): Promise<Found | undefined> {
  const range = { prefix: ["tick", name], before: tickKey(name, at + 1), reverse: true, limit: 1 };
  for await (const { key, value, version } of channel.entries(range)) {
    const [, , first] = key as readonly unknown[];
    if (typeof first === "number" && isTick(value) && isIn(at, first, value)) return { at: first, value, version };
  }
  return undefined;
}

/** Whether a tick is one of a range. The range may be of an earlier calendar of the schedule. */
function isIn(at: number, first: number, { until, calendar }: TickValue): boolean {
  if (at === first || until === undefined || calendar === undefined) return at === first;
  return at <= until && calendarOf(calendar).next(at - 1) === at;
}

/**
 * The run of a tick instead of its outcome so far. A range that it was a part of goes on before and after
 * it.
 */
function replaceOps(
  store: ScheduleStore,
  { name }: OwnSchedule,
  { at, found, run, request }: { at: number; found: Found | undefined; run: StartingRun; request: Request },
): Op<SchedulesValue>[] {
  const before = found && { outcome: found.value.outcome, ...(found.value.reason && { reason: found.value.reason }) };
  const evidence = { backfill: request.id, ...(before && { before }) };
  const value = { outcome: "run", run: run.id, evidence } as const;
  const revision = found?.value.revision ?? 0;
  const tick: TickValue = { ...value, by: store.by, decided: store.clock.now(), revision };
  const put = outcomeOps(name, at, tick);
  if (found === undefined) return [{ check: tickKey(name, at), version: null }, ...put];
  const ops: Op<SchedulesValue>[] = [
    { check: tickKey(name, found.at), version: found.version },
    ...put,
    { delete: unrunKey(name, at) },
  ];
  const { until, count: _, more: __, calendar: of, ...rest } = found.value;
  if (until === undefined || of === undefined) return ops;
  const calendar = calendarOf(of);
  const part = (first: number, last: number): Op<SchedulesValue>[] => {
    const { value } = range(of, first, last, rest as Why);
    return outcomeOps(name, first, { ...rest, ...value });
  };
  if (found.at < at) {
    ops.push({ check: tickKey(name, at), version: null });
    ops.push(...part(found.at, lastTick(calendar, found.at, at - 1)));
  }
  if (at < until) ops.push(...part(calendar.next(at), until));
  return ops;
}

/** The run did not start: the tick is open for the next attempt of the backfill. */
function undoOps(
  store: ScheduleStore,
  undone: { name: string; at: number; run: StartingRun; request: Request; version: Version },
): Op<SchedulesValue>[] {
  const { name, at, run, request, version } = undone;
  const value = {
    outcome: "refused",
    reason: "not-recorded",
    run: run.id,
    evidence: { backfill: request.id },
  } as const;
  const [, ...put] = store.tickOps(name, { at, value }, 0);
  return [{ check: tickKey(name, at), version }, ...put];
}
