import {
  type Fields,
  fieldsOf,
  isCount,
  isHolder,
  isId,
  isMap,
  isOptional,
  isProcess,
  isText,
} from "@ojm/core/internal";
import { isReadable } from "../definition/check.js";
import type { Cursor, MemberPart, MemberValue, Pause, RequestValue, StoredSchedule, TickValue } from "./schema.js";

/*
 * Whether an entry was written by a scheduler: any program can write to a store. An unknown field is allowed,
 * since a later version of ojm may write more.
 */

/** A whole ms, unlike the times of core. */
export const isTime = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Math.abs(Number(value)) <= 8.64e15;

function isPause(value: unknown): value is Pause {
  const { reason, by, at, until } = fieldsOf<Pause>(value) ?? {};
  return isText(reason) && isText(by) && isTime(at) && isOptional(until, isTime);
}

/**
 * Whether a value is the schedule `name`. Checks the name, because an entry whose name differs from that in
 * its key would be mistaken for another schedule.
 */
export function isSchedule(value: unknown, name: string): value is StoredSchedule {
  const stored = fieldsOf<StoredSchedule>(value);
  if (stored === undefined || stored.name !== name || !isText(stored.hash) || !isTime(stored.since)) return false;
  const { definition, revision, past, paused, resumed } = stored;
  const isDefined = isMap(definition) && isCount(revision) && Array.isArray(past) && past.every(isText);
  return isDefined && isOptional(paused, isPause) && isOptional(resumed, isTime);
}

export function isCursor(value: unknown): value is Cursor {
  const { at, ahead, waiting } = fieldsOf<Cursor>(value) ?? {};
  if (!isTime(at) || !isOptional(ahead, isTime)) return false;
  return isOptional(waiting, (ticks) => Array.isArray(ticks) && ticks.every(isTime));
}

const OUTCOMES: readonly string[] = ["run", "skipped", "missed", "refused"];

/** Whether a value is the outcome of a tick, perhaps one of a later version of ojm. */
export function isTick(value: unknown): value is TickValue {
  const { outcome, decided, until } = fieldsOf<TickValue>(value) ?? {};
  return isId(outcome) && isTime(decided) && isOptional(until, isTime);
}

/** Whether this version knows the outcome of a tick, and the calendar of a range. */
export function isKnownTick({ outcome, calendar }: TickValue): boolean {
  return OUTCOMES.includes(outcome) && (calendar === undefined || (isMap(calendar) && isReadable(calendar)));
}

/** Whether all fields of an outcome can be shown. */
export function isWholeTick(value: unknown): value is TickValue {
  if (!isTick(value)) return false;
  const { reason, run, until, count, evidence, by }: Fields<TickValue> = value;
  const isShowable = isOptional(reason, isText) && isOptional(run, isText) && isOptional(until, isTime);
  return isShowable && isOptional(evidence, isMap) && isOptional(count, isCount) && isHolder(by);
}

export function isMember(value: unknown): value is MemberValue {
  const { parts, process, ojm } = fieldsOf<MemberValue>(value) ?? {};
  return isCount(parts) && isOptional(process, isProcess) && isOptional(ojm, isText);
}

export function isMemberPart(value: unknown): value is MemberPart {
  return Array.isArray(fieldsOf<MemberPart>(value)?.schedules);
}

/** The schedules in a part of the list of a member, with the hashes of their definitions there. */
export function schedulesOfPart({ schedules }: MemberPart): [name: string, hash: string][] {
  return schedules.filter((one): one is [string, string] => Array.isArray(one) && isText(one[0]) && isText(one[1]));
}

/** Whether a value is a request that this version can carry out. */
export function isRequest(value: unknown): value is RequestValue {
  const { type } = fieldsOf<RequestValue>(value) ?? {};
  return hasRequestFields(value) && (type === "run" || type === "backfill");
}

/** Whether a value is a request, perhaps with the type of a later version of ojm. */
export function hasRequestFields(value: unknown): boolean {
  const request = fieldsOf<RequestValue>(value);
  if (request === undefined || !isTime(request.at) || !isText(request.by) || !isText(request.reason)) return false;
  const { type, args, from, to, first, ticks, last, run, refused } = request;
  if (!isOptional(args, isMap)) return false;
  if (![from, to, first].every((time) => isOptional(time, isTime)) || !isOptional(ticks, isCount)) return false;
  // Without its range, a backfill would run all ticks since 1970.
  if (type === "backfill" && (from === undefined || to === undefined)) return false;
  if (![last, run, refused].every((text) => isOptional(text, isText))) return false;
  return isId(type);
}
