import type { Op, Version } from "@ojm/core";
import type { StartingRun } from "@ojm/core/internal";
import { calendarOf } from "../definition/calendar.js";
import { type FoundOutcome, outcomeAt, replaceOps } from "../store/replace.js";
import {
  type Cursor,
  cursorKey,
  type RequestValue,
  requestKey,
  type SchedulesValue,
  tickKey,
} from "../store/schema.js";
import type { ScheduleStore, Versioned } from "../store/store.js";
import { type Request, RequestClaim } from "./claim-request.js";
import type { Host, OwnSchedule } from "./host.js";
import { type StartOptions, startClaimed } from "./start.js";

/** The pause before the cursor is looked at again, in ms. */
const MOMENT = 1_000;

/** What the store has of a tick that the cursor has passed. */
interface Decided {
  readonly cursor: Versioned<Cursor>;
  readonly found: FoundOutcome | undefined;
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
    let decided = await decidedAt(store, name, at);
    if (decided === undefined) {
      await new Promise<void>((resolve) => void store.clock.after(MOMENT, resolve));
      return request;
    }
    if (decided.found?.value.outcome === "run" && again !== true) continue;
    let moved: RequestValue = { ...value, from: at };
    const answer = ({ id }: StartingRun): RequestValue => {
      moved = { ...moved, last: id };
      return moved;
    };
    const claim = new RequestClaim(store, request, answer, {
      tick: { schedule: name, at },
      ops: (run) => runOps(store, { name, at, run, request }, decided as Decided),
      undo: (run, version) => undoOps(store, { name, at, run, request, version }),
      holds: async () => {
        const before = decided?.found?.version;
        decided = await decidedAt(store, name, at);
        return decided !== undefined && decided.found?.version === before;
      },
    });
    const trigger = `backfill by ${value.by}: ${value.reason}`.slice(0, 1_000);
    const { version, ended } = await startClaimed(host, own, claim, { ...options, trigger });
    await ended.catch(() => {});
    return { ...request, value: moved, version };
  }
  const key = requestKey(name, request.id);
  await store.channel.commit([{ check: key, version: request.version }, { delete: key }]);
  return undefined;
}

/**
 * The outcome of a tick; `undefined` while the cursor has not passed it. The cursor is read first: until it
 * has passed a tick, a range may be written that the tick is part of.
 */
async function decidedAt(store: ScheduleStore, name: string, at: number): Promise<Decided | undefined> {
  const cursor = await store.cursor(name);
  if (cursor === undefined || cursor.value.at < at) return undefined;
  return { cursor, found: await outcomeAt(store, name, at) };
}

/** The run of a tick, instead of its outcome so far. */
function runOps(
  store: ScheduleStore,
  { name, at, run, request }: { name: string; at: number; run: StartingRun; request: Request },
  { cursor, found }: Decided,
): Op<SchedulesValue>[] {
  const evidence = { backfill: request.id };
  if (found !== undefined) return replaceOps(store, { name, at, found, run }, evidence);
  const [check, ...put] = store.tickOps(name, { at, value: { outcome: "run", run: run.id, evidence } }, 0);
  // A cursor that was set back may come past this tick again, and write a range over it.
  return [{ check: cursorKey(name), version: cursor.version }, check as Op<SchedulesValue>, ...put];
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
