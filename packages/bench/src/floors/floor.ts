import { hostname } from "node:os";
import type { Contestant, RawStore } from "../run/contestant.js";

/**
 * The least work that leaves the same facts as a managed run, written by hand for one store, in the fewest
 * steps that keep the promises of the run:
 *
 * - A lock that names its holder and cannot be taken twice, with a fence that only increases.
 * - A record that is open during the run and closed after it, and an entry that finds it by its start time.
 * - Neither the start nor the end is written once the entry of our session is gone.
 * - Nothing starts before the waiters for the name, and a release notifies them.
 */
export type Floor = Pick<Contestant, "run" | "records" | "close"> & { readonly verbs: RawStore };

/** The session of a floor: one is enough, because each floor has a store or a prefix for itself. */
export const SESSION = "floor";

/** How long the entry of a session lives without a renewal, in ms, as in a manager. */
export const TTL = 15_000;

const holder = { host: hostname(), pid: process.pid, instance: SESSION };

const versions = { ojm: "0.0.0", node: process.versions.node };

/** The contents of the entry of a session. */
export const session: Record<string, unknown> = { id: SESSION, process: holder, since: Date.now() };

type Facts = Record<string, unknown> & { readonly startTime: number };

/** The facts of a start, in the form of a lock and of a record. */
export function started(name: string, startTime: number): { record: Facts; lock: Record<string, unknown> } {
  const timeout = 3_600_000;
  const startDate = new Date(startTime).toISOString();
  const record = {
    name,
    startTime,
    startDate,
    id: `${name}@${startDate}`,
    status: "running",
    holder,
    trigger: "manual",
    timeout,
    versions,
  };
  const until = startTime + timeout;
  const lock = { name, holder, token: "0123456789ab", since: startTime, timeout, until, note: { run: startTime } };
  return { record, lock };
}

/** The facts of an end. */
export function ended(record: Facts, fence: string, endTime: number): Facts {
  return {
    ...record,
    fence,
    status: "completed",
    endTime,
    endDate: new Date(endTime).toISOString(),
    duration: endTime - record.startTime,
    inError: false,
  };
}

/** Start times that are never the same twice for one job. */
export function startTimes(): (job: string) => number {
  const last = new Map<string, number>();
  return (job) => {
    const time = Math.max(Date.now(), (last.get(job) ?? 0) + 1);
    last.set(job, time);
    return time;
  };
}

/**
 * The waiters of a store that only this process has open: by name, with the function that wakes each of them.
 */
export class Waiters {
  readonly #queues = new Map<string, (() => void)[]>();

  /** Whether the name has a waiter. */
  has(job: string): boolean {
    return this.#queues.has(job);
  }

  /** Wakes the first waiter of this name, if there is one. */
  wakeFirst(job: string): void {
    this.#queues.get(job)?.[0]?.();
  }
}
