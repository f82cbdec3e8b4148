import { hostname } from "node:os";

/**
 * The least work that leaves the same facts as a managed run: a lock that names its holder and cannot be
 * taken twice, with a fence that only increases; and a record that is open during the run and closed after
 * it. Written by hand for one store, in the fewest steps.
 */
export interface Floor {
  run(job: string): Promise<void>;
  /** How many closed records there are. */
  records(): Promise<number>;
  close(): Promise<void>;
}

const holder = { host: hostname(), pid: process.pid, instance: "floor" };

/** The three calls from which everything is made, through the store's own driver. Values are JSON. */
export interface RawStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  /**
   * Writes if the entry has this version; `null` stands for absence. Resolves to the new version, or to
   * `undefined` if another write came first.
   */
  compareAndSet(key: string, version: string | null, value: unknown): Promise<string | undefined>;
}

/** What a store is measured against. Both halves share a connection; {@link Floor.close} closes it. */
export interface FloorStore {
  readonly floor: Floor;
  readonly raw: RawStore;
}

type Facts = Record<string, unknown> & { readonly startTime: number };

/** The facts of a start, as a lock and a record hold them. */
export function started(name: string, startTime: number): { record: Facts; lock: Record<string, unknown> } {
  const record = {
    name,
    startTime,
    startDate: new Date(startTime).toISOString(),
    status: "running",
    holder,
    trigger: "manual",
    timeout: 3_600_000,
  };
  const lock = { name, holder, token: "0123456789ab", since: startTime, timeout: 3_600_000, note: { run: startTime } };
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
