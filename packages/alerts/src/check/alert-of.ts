import { createHash } from "node:crypto";
import type { RunRecord } from "@ojm/core";
import { elapsedSince } from "@ojm/core/internal";
import { cut } from "../cut.js";
import type { Alert, AlertKind } from "../types.js";

/** The longest text of an error in an alert. */
const LONGEST_ERROR = 1_000;

/** The fields of an alert that are not in the record of its run. */
interface Facts {
  readonly rule: string;
  readonly kind: AlertKind;
  readonly streak?: number;
  /** The tick of a run that is late. */
  readonly tick?: number;
  /** The time of the check, for a run that is still running. */
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
  const duration = begins ? undefined : (record.duration ?? elapsedSince(startTime, now));
  const alert: Alert = {
    id: idOf(rule, id, kind),
    kind,
    rule,
    run: id,
    name,
    // A run that had ended when its start was found is reported as it was at the start.
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
  /** The reason, as text. */
  readonly why: string;
  /** The host that decided it; absent if no scheduler did. */
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

/** The same in every process and every check, so that a receiver can recognise a second delivery. */
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
