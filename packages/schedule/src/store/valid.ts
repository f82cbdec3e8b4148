import type { Holder } from "@ojm/core";
import type { ProcessIdentity } from "@ojm/core/internal";
import type { Cursor, MemberPart, MemberValue, Pause, RequestValue, StoredSchedule, TickValue } from "./schema.js";

/*
 * Whether an entry was written by a scheduler: any program can write to a store. An unknown field is allowed,
 * since a later version of ojm may write more.
 */

type Fields<T> = { readonly [K in keyof T]?: unknown };

function fieldsOf<T>(value: unknown): Fields<T> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && Math.abs(Number(value)) <= 8.64e15;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isOptional = (value: unknown, check: (value: unknown) => boolean): boolean => value === undefined || check(value);

function isPause(value: unknown): value is Pause {
  const pause = fieldsOf<Pause>(value);
  return (
    pause !== undefined &&
    isText(pause.reason) &&
    isText(pause.by) &&
    isTime(pause.at) &&
    isOptional(pause.until, isTime)
  );
}

/**
 * Whether a value is the schedule `name`. Checks the name, because an entry whose name differs from that in
 * its key would be mistaken for another schedule.
 */
export function isSchedule(value: unknown, name: string): value is StoredSchedule {
  const stored = fieldsOf<StoredSchedule>(value);
  if (stored === undefined || stored.name !== name || !isText(stored.hash) || !isTime(stored.since)) return false;
  const { definition, past } = stored;
  return (
    fieldsOf(definition) !== undefined &&
    isCount(stored.revision) &&
    Array.isArray(past) &&
    past.every(isText) &&
    isOptional(stored.paused, isPause) &&
    isOptional(stored.resumed, isTime)
  );
}

export function isCursor(value: unknown): value is Cursor {
  const cursor = fieldsOf<Cursor>(value);
  if (cursor === undefined || !isTime(cursor.at) || !isOptional(cursor.ahead, isTime)) return false;
  return isOptional(cursor.waiting, (waiting) => Array.isArray(waiting) && waiting.every(isTime));
}

const OUTCOMES: readonly unknown[] = ["run", "skipped", "missed", "refused"];

/** Whether a value is the outcome of a tick. */
export function isTick(value: unknown): value is TickValue {
  const tick = fieldsOf<TickValue>(value);
  return tick !== undefined && OUTCOMES.includes(tick.outcome) && isTime(tick.decided);
}

/** Whether all fields of an outcome can be shown. */
export function isWholeTick(value: unknown): value is TickValue {
  if (!isTick(value)) return false;
  const tick: Fields<TickValue> = value;
  const { reason, run, until, count, evidence, by } = tick;
  const isTold = isOptional(reason, isText) && isOptional(run, isText) && isOptional(until, isTime);
  const hasEvidence = isOptional(evidence, (map) => fieldsOf(map) !== undefined);
  return isTold && hasEvidence && isOptional(count, isCount) && isHolder(by);
}

export function isHolder(value: unknown): value is Holder {
  const holder = fieldsOf<Holder>(value);
  return holder !== undefined && isText(holder.host) && isCount(holder.pid) && isText(holder.instance);
}

export function isMember(value: unknown): value is MemberValue {
  const member = fieldsOf<MemberValue>(value);
  return member !== undefined && isCount(member.parts) && isOptional(member.process, isProcess);
}

function isProcess(value: unknown): value is ProcessIdentity {
  const { host, pid, boot, namespace, started } = fieldsOf<ProcessIdentity>(value) ?? {};
  return isCount(pid) && [host, boot, namespace, started].every(isText);
}

export function isMemberPart(value: unknown): value is MemberPart {
  const schedules = fieldsOf<MemberPart>(value)?.schedules;
  return Array.isArray(schedules) && schedules.every((one) => Array.isArray(one) && isText(one[0]) && isText(one[1]));
}

export function isRequest(value: unknown): value is RequestValue {
  const request = fieldsOf<RequestValue>(value);
  if (request === undefined || !isTime(request.at) || !isText(request.by) || !isText(request.reason)) return false;
  const { args, from, to, first, ticks, last, run, refused } = request;
  if (!isOptional(args, (map) => fieldsOf(map) !== undefined)) return false;
  if (![from, to, first].every((time) => isOptional(time, isTime)) || !isOptional(ticks, isCount)) return false;
  if (![last, run, refused].every((text) => isOptional(text, isText))) return false;
  return request.type === "run" || request.type === "backfill";
}
