import { type Op, type RunRecord, runId } from "@ojm/core";
import type { AuditAction } from "@ojm/core/internal";

const DAY = 86_400_000;

/** How far the runs of the store reach back, in ms. */
export const SPAN: number = 7 * DAY;

/** How far apart the ticks of each schedule are, in ms: the same in all stores, so that it costs the same. */
export const EVERY: number = 3_600_000;

/** How long the outcome of a tick is retained, in ms. */
const TICK_TTL = 30 * DAY;

/** One of this many runs fails. */
const FAILS = 50;

/** The job that has a log. */
export const LOGGED = "cockpit-log";

/** The contents with which a store is filled. */
export interface Filling {
  readonly total: number;
  readonly names: number;
  /** When the last run began. */
  readonly now: number;
}

export const nameOf = (i: number): string => `job-${String(i).padStart(3, "0")}`;

/** The start time of the run `i`. They are evenly spread. */
export function startOf(i: number, { total, now }: Filling): number {
  return now - SPAN + Math.floor((i * SPAN) / total);
}

/** The records of all runs, in the order of their keys. */
export function* recordsIn(filling: Filling): Generator<Op<unknown>> {
  for (const i of byName(filling)) {
    const value = recordOf(i, filling);
    yield { put: { name: value.name, startTime: value.startTime }, value };
  }
}

/** The entries of their times, as core writes them. */
export function* timesIn(filling: Filling): Generator<Op<unknown>> {
  for (let i = 0; i < filling.total; i++) {
    const { startTime, endTime, name, inError, status } = recordOf(i, filling);
    yield { put: [startTime, name], value: 0 };
    if (inError !== true) continue;
    yield { put: ["failed", endTime ?? startTime, startTime, name], value: 0 };
    yield { put: ["error", startTime, name], value: status };
  }
}

/** The outcomes of their ticks, as a scheduler writes them. */
export function* ticksIn(filling: Filling): Generator<Op<unknown>> {
  for (const i of byName(filling)) {
    const { name, startTime, id, holder } = recordOf(i, filling);
    const value = { outcome: "run", run: id, by: holder, decided: startTime, revision: 1 };
    yield { put: ["tick", name, startTime], value, ttl: TICK_TTL };
  }
}

function* byName({ total, names }: Filling): Generator<number> {
  for (let name = 0; name < names; name++) for (let i = name; i < total; i += names) yield i;
}

function recordOf(i: number, filling: Filling): RunRecord {
  const startTime = startOf(i, filling);
  const name = nameOf(i % filling.names);
  const duration = 500 + (scatter(i) % 1_000);
  const endTime = startTime + duration;
  const failed = scatter(i + 1) % FAILS === 0;
  return {
    name,
    startTime,
    startDate: new Date(startTime).toISOString(),
    id: runId({ name, startTime }),
    status: failed ? "failed" : "completed",
    holder: { host: "worker-17", pid: 4711, instance: "0123456789ab" },
    trigger: "schedule",
    schedule: name,
    tick: startTime,
    delay: 2,
    timeout: 3_600_000,
    fence: String(i + 1),
    endTime,
    endDate: new Date(endTime).toISOString(),
    duration,
    inError: failed,
    ...(failed && { error: "the server of the reports does not answer: connect ECONNREFUSED 10.4.7.1:5432" }),
  };
}

/** The audit entries. */
export function acts(): AuditAction[] {
  const by = { host: "laptop-3", pid: 99, instance: "ba9876543210" };
  return Array.from({ length: 200 }, (_, i) => ({
    action: "pause",
    name: nameOf(i % 20),
    reason: "the database is being moved",
    by,
    author: "ana",
  }));
}

/** A pseudo-random number that is the same each time. */
function scatter(i: number): number {
  const mixed = Math.imul(i ^ (i >>> 15), 0x2c1b3c6d);
  return (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) ^ (mixed >>> 15)) >>> 0;
}
