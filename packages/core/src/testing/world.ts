import { backend as simple } from "@ojm/simple";
import type { Backend, Supports } from "../channel/backend/backend.js";
import type { Channel } from "../channel/channel.js";
import { openChannel } from "../channel/open.js";
import { closeRecords, openRecords } from "../jobs/channels.js";
import { type JobManager, openJobManager } from "../jobs/manager.js";
import { recordKey } from "../jobs/records/record.js";
import { TimeIndex } from "../jobs/records/time-index.js";
import type { JobManagerOptions, RunRecord } from "../jobs/types.js";
import type { LocksValue } from "../locks/entries/schema.js";
import { type Locks, openLocks } from "../locks/locks.js";
import type { LocksOptions } from "../locks/types.js";
import { FakeClock } from "./fake-clock.js";
import { FaultyBackend } from "./stores/faulty-backend.js";
import { ObserversTime } from "./stores/observers-time.js";

/** The number of records that are written in one commit. */
const AT_ONCE = 200;

/** Where the records and the locks of managers are stored, for `describe.each`. */
export const STORES: readonly { readonly stores: string; readonly apart: boolean }[] = [
  { stores: "in one store", apart: false },
  { stores: "in two stores", apart: true },
];

/** A store in memory with its own time, and any number of processes, each with its own way to the store. */
export class World {
  readonly clock: FakeClock;

  constructor(seed?: number) {
    this.clock = new FakeClock(seed);
  }

  /** A way to the store that can be made to fail. */
  async way(supports: Partial<Supports> = {}): Promise<FaultyBackend> {
    return new FaultyBackend(await simple.open({}, { clock: this.clock }), this.clock, supports);
  }

  /** Removes everything from the store. Its versions continue. */
  async forgetAll(): Promise<void> {
    const store = await simple.open({}, { clock: this.clock });
    const { entries } = await store.scan({ from: "", to: "\u{10ffff}", reverse: false, limit: 10_000, values: false });
    await store.commit({ checks: [], writes: entries.map(({ key }) => ({ key, value: null })) });
  }

  /** A way to a store that hides its clock: a process counts the `life` of an entry from its first look. */
  async timelessWay(life: number): Promise<FaultyBackend> {
    const store = new ObserversTime(await simple.open({}, { clock: this.clock }), this.clock, life);
    return new FaultyBackend(store, this.clock, { shared: "network" });
  }

  /** A manager with its records and locks in one store; with `apart`, in two, each with its own way. */
  async manager(options: ManagerSettings = {}): Promise<ManagerOf> {
    const { apart = false, supports = {}, ...rest } = options;
    const way = await this.way(supports);
    const jobsWay = apart ? await this.way(supports) : way;
    const opening = openJobManager({
      chJobs: { backend: jobsWay },
      chLocks: { backend: way },
      clock: this.clock,
      ...rest,
    });
    return { way, jobsWay, manager: await this.clock.until(opening) };
  }

  /** Writes records like a manager on this way: with their entries in the index. */
  async write({ jobsWay }: { readonly jobsWay: Backend }, all: readonly RunRecord[]): Promise<void> {
    const { jobs, times, turns } = await openRecords({ backend: jobsWay }, this.clock);
    const index = new TimeIndex(jobs, times);
    for (let i = 0; i < all.length; i += AT_ONCE) {
      const some = all.slice(i, i + AT_ONCE);
      const puts = some.map((value) => ({ put: recordKey(value.name, value.startTime), value }));
      await jobs.commitWith<unknown[]>(
        puts,
        some.flatMap((record) => index.add(record)),
      );
    }
    await closeRecords({ jobs, times, turns });
  }

  async locks(options: LocksOptions & { readonly way?: FaultyBackend } = {}): Promise<LocksOf> {
    const way = options.way ?? (await this.way());
    const channel = await openChannel<LocksValue>("locks", { backend: way, clock: this.clock });
    return { way, channel, locks: openLocks(channel, { clock: this.clock, ...options }) };
  }
}

/** The options of a manager; `supports`: the capabilities of its store. */
export type ManagerSettings = Omit<JobManagerOptions, "clock"> & {
  readonly apart?: boolean;
  readonly supports?: Partial<Supports>;
};

export interface ManagerOf {
  readonly manager: JobManager;
  /** The way to the locks; with one store, also to the records. */
  readonly way: FaultyBackend;
  readonly jobsWay: FaultyBackend;
}

export interface LocksOf {
  readonly way: FaultyBackend;
  readonly channel: Channel<LocksValue>;
  readonly locks: Locks;
}
