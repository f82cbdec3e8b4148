import { createHash } from "node:crypto";
import type { RunRecord } from "@ojm/core";
import { cut } from "../cut.js";
import type { Alert, AlertKind } from "../types.js";

/** The longest text of an error in an alert. */
const LONGEST_ERROR = 1_000;

/** What an alert says beside its run. */
interface Facts {
  readonly rule: string;
  readonly kind: AlertKind;
  readonly streak?: number;
  /** The tick of a run that is late. */
  readonly tick?: number;
  /** The time of the look, for a run that goes on. */
  readonly now: number;
}

/** An alert with the time that orders it. */
export interface Found {
  readonly time: number;
  readonly alert: Alert;
}

export function alertOf(record: RunRecord, { rule, kind, streak, tick, now }: Facts): Found {
  const { id, name, status, error, holder, startTime, startDate, endTime, endDate, attempt, retry } = record;
  const begins = kind === "started";
  const duration = begins ? undefined : (record.duration ?? Math.max(0, now - startTime));
  const alert: Alert = {
    id: idOf(rule, id, kind),
    kind,
    rule,
    run: id,
    name,
    // A run that was over when its start was found is told as it was then.
    status: begins ? "running" : status,
    ...(error !== undefined && !begins && { error: shortened(error) }),
    host: holder.host,
    started: startDate,
    ...(endDate !== undefined && !begins && { ended: endDate }),
    ...(duration !== undefined && { duration }),
    ...(attempt !== undefined && { attempt }),
    ...(retry !== undefined && { attempts: retry.attempts }),
    ...(streak !== undefined && { streak }),
    ...(tick !== undefined && { tick: iso(tick), delay: startTime - tick }),
  };
  return { time: begins ? startTime : (endTime ?? now), alert };
}

/** Ticks that were missed. */
export interface MissedTicks {
  readonly name: string;
  readonly at: number;
  readonly until?: number;
  readonly count?: number;
  /** Why, in words. */
  readonly why: string;
  /** Where that was decided; absent if nobody was there. */
  readonly host?: string;
}

export function missedAlert({ name, at, until = at, count = 1, why, host }: MissedTicks, rule: string): Found {
  const alert: Alert = {
    id: idOf(rule, `${name}@${iso(at)}`, "missed"),
    kind: "missed",
    rule,
    name,
    status: "missed",
    error: why,
    ...(host !== undefined && { host }),
    tick: iso(at),
    ...(until > at && { until: iso(until), count }),
  };
  return { time: at, alert };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

/** The same for every process and every look, so that a receiver can tell a second delivery. */
function idOf(rule: string, run: string, kind: string): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([rule, run, kind]))
    .digest("base64url");
  return `msg_${hash.slice(0, 27)}`;
}

function shortened(error: string): string {
  if (error.length <= LONGEST_ERROR) return error;
  return `${cut(error, LONGEST_ERROR - 1)}…`;
}
