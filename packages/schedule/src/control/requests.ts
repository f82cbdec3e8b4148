import type { Duration, JsonValue } from "@ojm/core";
import { checkedDuration, durationText } from "@ojm/core/backend";
import { argsProblem, type Items, pause, present, readable, reasonText } from "@ojm/core/internal";
import { countTicks, MOST_COUNTED, type Schedule, ScheduleError } from "../calendar/schedule.js";
import { calendarOf } from "../definition/calendar.js";
import { assertReadable, isReadable } from "../definition/check.js";
import { REQUEST_TTL, type RequestValue, requestKey, scheduleKey } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import { isRequest } from "../store/valid.js";
import { instantOf, known } from "./pause.js";
import { ticksOf } from "./ticks.js";

/** The polling interval for the answer to a request if the store cannot be watched, in ms. */
const POLL = 500;

/** Who requests a run, and why. */
export interface RunNowOptions {
  readonly reason: string;
  /** The person or program that requests it. Default: the host and process. */
  readonly author?: string;
  /**
   * The parameters of the run: its job function reads them from `run.args`, in each attempt. The record
   * contains them, so keep secrets elsewhere. At most 4,096 bytes as JSON.
   */
  readonly args?: { readonly [key: string]: JsonValue };
  /** How long to wait for a process that starts the run. Default: 30 s. */
  readonly within?: Duration;
  /** Withdraws the request, if no process has started the run by then. */
  readonly signal?: AbortSignal;
}

/** Which past ticks to run, who requests it, and why. */
export interface BackfillOptions {
  /** Ticks at this time or later: in ms since 1970, or in ISO 8601. */
  readonly from: number | string | Date;
  /** Ticks before this time. Default: now. */
  readonly to?: number | string | Date;
  readonly reason: string;
  readonly author?: string;
  /** Whether ticks that already ran are run again. Default: false. */
  readonly again?: boolean;
  /** Only counts the ticks, without a request. Default: false. */
  readonly dryRun?: boolean;
}

/** A backfill that was accepted: the member that runs the schedule runs its ticks, one after the other. */
export interface Backfill {
  /** Absent if there is no tick to run, or with `dryRun`: then there is no request. */
  readonly id?: string;
  /** The number of ticks in its time, including those that already ran. */
  readonly ticks: number;
  /** The number of them that already ran. */
  readonly ran: number;
  /** The number of them that will be run. */
  readonly toRun: number;
}

/** How long a request outlives the wait of its requester, in ms: one that is killed cannot withdraw it. */
const REQUEST_REST = 10_000;

/** Requests a run now. Resolves to its id, once it is started. */
export async function runNow(
  store: ScheduleStore,
  name: string,
  asked: RequestValue,
  { signal, args, ...options }: Pick<RunNowOptions, "within" | "signal" | "args">,
): Promise<string> {
  signal?.throwIfAborted();
  const within = checkedDuration("within", options.within ?? 30_000, (message) => {
    throw new ScheduleError("INVALID", message, "within");
  });
  // Check here, because the process that runs it could report it only in its own log.
  const problem = args === undefined ? undefined : argsProblem(args);
  if (problem !== undefined)
    throw new ScheduleError("INVALID", `the run of "${name}" cannot have these args: ${problem}`, "args");
  const request = { ...asked, ...present({ args }) };
  const id = await ask(store, name, request, within + REQUEST_REST);
  const silence = `no process that can run it answered within ${durationText(within)}`;
  const answer = await answered(store, { name, id, author: asked.by, within, signal, silence });
  if (answer?.run !== undefined) return answer.run;
  if (answer === undefined) signal?.throwIfAborted();
  throw new ScheduleError("REFUSED", `"${name}" was not started: ${answer?.refused ?? silence}`);
}

/** Requests a backfill. */
export async function backfill(
  store: ScheduleStore,
  name: string,
  {
    from,
    to,
    again,
    dryRun,
    reason,
    by,
  }: Omit<BackfillOptions, "author" | "reason"> & Pick<RequestValue, "reason" | "by">,
): Promise<Backfill> {
  const now = store.clock.now();
  const first = instantOf("from", from);
  const end = Math.min(now + 1, to === undefined ? now + 1 : instantOf("to", to));
  const { value } = await known(store, name);
  assertReadable(value);
  const schedule = calendarOf(value.definition);
  const ticks = countTicks(schedule, schedule.next(first - 1), end, MOST_COUNTED + 1);
  if (ticks > MOST_COUNTED) {
    const text = `the backfill of "${name}" has more than ${MOST_COUNTED} ticks: ask for a shorter time`;
    throw new ScheduleError("INVALID", text, "from");
  }
  const ran = ticks === 0 ? 0 : await countRun(store, name, schedule, first, end);
  const toRun = again === true ? ticks : ticks - ran;
  if (toRun === 0 || dryRun === true) return { ticks, ran, toRun };
  const bounds = { from: first - 1, to: end - 1, first, ticks: toRun, ...(again === true && { again }) };
  const request: RequestValue = { type: "backfill", reason, by, at: now, ...bounds };
  return { id: await ask(store, name, request, REQUEST_TTL), ticks, ran, toRun };
}

/** The number of ticks of a period that already ran, without those of older definitions alone. */
async function countRun(
  { channel }: ScheduleStore,
  name: string,
  calendar: Schedule,
  first: number,
  end: number,
): Promise<number> {
  let ran = 0;
  for await (const { at, outcome } of ticksOf({ channel }, name, { from: first, to: end }))
    if (outcome === "run" && calendar.next(at - 1) === at) ran++;
  return ran;
}

async function ask(store: ScheduleStore, name: string, value: RequestValue, ttl: number): Promise<string> {
  const id = store.clock.random(10);
  const { type, reason, by: author, first: from, to, ticks } = value;
  const details = { from: from ?? 0, to: to ?? 0, ticks: ticks ?? 0 };
  const act = { action: type === "run" ? "run-now" : "backfill", name, reason, author };
  for (;;) {
    const { version } = await known(store, name);
    const ops = [
      { check: scheduleKey(name), version },
      { put: requestKey(name, id), value, ttl },
    ];
    if (await store.act(ops, type === "run" ? act : { ...act, details })) return id;
  }
}

/** A request in the store, and the terms of the wait for its answer. */
interface PendingRequest {
  readonly name: string;
  readonly id: string;
  readonly author: string;
  /** In ms. */
  readonly within: number;
  readonly signal: AbortSignal | undefined;
  /** Why the request is withdrawn if no process answers. */
  readonly silence: string;
}

/**
 * The answer to a request; `undefined` if the request is gone, or was withdrawn. The audit records that:
 * otherwise it would show a run that never was.
 */
async function answered(
  store: ScheduleStore,
  { name, id, author, within, signal, silence }: PendingRequest,
): Promise<RequestValue | undefined> {
  const { channel, clock } = store;
  const key = requestKey(name, id);
  const until = clock.monotonic() + within;
  let change = new AbortController();
  const changed = (): void => change.abort();
  const watch = channel.supports.watch
    ? channel.watchKey(key, { changed, gap: changed, failed: changed })
    : { ready: Promise.resolve(), stop: () => {} };
  try {
    await watch.ready;
    for (;;) {
      change = new AbortController();
      const entry = await channel.entry(key);
      const value = isRequest(entry?.value) ? entry.value : undefined;
      if (entry === undefined || value === undefined || value.run !== undefined || value.refused !== undefined)
        return value;
      const left = until - clock.monotonic();
      if (signal?.aborted === true || left <= 0) {
        const reason = signal?.aborted === true ? reasonText(signal.reason) : silence;
        const ops = [{ check: key, version: entry.version }, { delete: key }];
        if (await store.act(ops, { action: "not-started", name, reason, author })) return undefined;
        continue;
      }
      await pause(clock, Math.min(left, POLL), [change.signal, ...(signal ? [signal] : [])]);
    }
  } finally {
    watch.stop();
  }
}

/** An unfinished backfill. Times are in ms since 1970. */
export interface BackfillProgress {
  readonly id: string;
  /** The name of the schedule. */
  readonly schedule: string;
  /** The person or program that requested it, when, and why. */
  readonly by: string;
  readonly at: number;
  readonly reason: string;
  /** The first and the last ms of the period whose ticks are run. */
  readonly from: number;
  readonly to: number;
  /** Whether ticks that already ran are run again. */
  readonly again: boolean;
  /** The number of ticks to run. Ticks that ran before do not count. */
  readonly ticks: number;
  /** The number of these ticks that have not begun. */
  readonly remaining: number;
  /** The id of the latest run. It may still be running. */
  readonly run?: string;
}

/** Who stops a backfill, and why. */
export interface StopOptions {
  readonly reason: string;
  /** The person or program that stops it. Default: the host and process. */
  readonly author?: string;
}

/** The unfinished backfills of a schedule, or of all. */
export async function* backfillsOf(store: ScheduleStore, name: string | undefined): Items<BackfillProgress> {
  const prefix = name === undefined ? ["request"] : ["request", name];
  for await (const { key, value } of readable(store.channel, { prefix })) {
    const [, schedule, id] = key as readonly unknown[];
    if (!isRequest(value) || value.type !== "backfill") continue;
    yield await progressOf(store, String(schedule), String(id), value);
  }
}

/** Deletes the requests, so that no further run can claim one of their ticks. */
export async function stopBackfills(
  store: ScheduleStore,
  name: string,
  { reason, by: author }: Pick<RequestValue, "reason" | "by">,
): Promise<BackfillProgress[]> {
  const stopped: BackfillProgress[] = [];
  for await (const { id } of backfillsOf(store, name)) {
    const key = requestKey(name, id);
    for (;;) {
      // Each run that begins meanwhile changes the request.
      const entry = await store.channel.entry(key);
      if (entry === undefined || !isRequest(entry.value)) break;
      const progress = await progressOf(store, name, id, entry.value);
      const { ticks, remaining } = progress;
      const ops = [{ check: key, version: entry.version }, { delete: key }];
      const act = { action: "stop-backfill", name, reason, author, details: { ticks, remaining } };
      if (!(await store.act(ops, act))) continue;
      stopped.push(progress);
      break;
    }
  }
  return stopped;
}

async function progressOf(
  store: ScheduleStore,
  schedule: string,
  id: string,
  { by, at, reason, from = 0, to = 0, again, first = from, ticks, last }: RequestValue,
): Promise<BackfillProgress> {
  // Without a calendar that this version can read, no remaining ticks are counted.
  const stored = await store.schedule(schedule);
  const { definition } = stored?.value ?? {};
  const calendar = definition && isReadable(definition) ? calendarOf(definition) : undefined;
  const rest = calendar === undefined ? 0 : countTicks(calendar, calendar.next(from), to + 1, MOST_COUNTED);
  const ran = calendar && again !== true ? await countRun(store, schedule, calendar, from + 1, to + 1) : 0;
  const remaining = Math.max(0, rest - ran);
  const counts = { again: again === true, ticks: ticks ?? remaining, remaining };
  return { id, schedule, by, at, reason, from: first, to, ...counts, ...present({ run: last }) };
}
