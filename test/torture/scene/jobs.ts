import type { Channel, ChannelOps, RateTerms } from "@ojm/core";
import type { Item, QueueOptions } from "@ojm/queue";
import type { ScheduleDefinition } from "@ojm/schedule";

/**
 * The schedules of the mode `tick`: each process adds all of them. If many ticks were missed because a clock
 * was set ahead, only a few of them run: a cell must end.
 */
export const schedules: Readonly<Record<string, ScheduleDefinition>> = {
  skips: { every: 1_000 },
  queues: {
    every: 1_000,
    overlap: "queue",
    missed: { run: "all", max: 5 },
    retry: { attempts: 3, delay: 100, backoff: "fixed", onLost: true },
  },
  catches: { every: 1_000, missed: { run: "all", max: 5 } },
};

/** The time between two ticks of each of them, in ms. */
export const EVERY = 1_000;

/** The job that the processes run without a schedule, and try again. */
export const RETRIED = "retried";

/** The permits of all runs in the mode `permit`: fewer than there are names. */
export const PERMITS: Readonly<Record<string, number>> = { few: 2 };

/** The rate of all runs in the mode `rate`: slower than they are requested. */
export const RATE: RateTerms = { name: "pace", max: 8, per: 400 };

/** The queue of the mode `queue`. Its items have enough attempts: faults alone make none a dead letter. */
export const QUEUE = "work";
export const PER_GROUP = 1;
export const queueOptions: QueueOptions = { attempts: 100, delay: 50, backoff: "fixed", perGroup: PER_GROUP };

/** The channel of the rows that handlers write with the end of an item. */
export const TABLE = "torture-done";

/** The name of the lock of an item. The harness does not ask the code that is judged. */
export const itemLock = (id: string): string => `queue/${QUEUE}/${id}`;

/**
 * The row that an attempt of an item writes with its end. Each attempt has its own: a second one shows, even
 * if it is written long after the first.
 */
export function rowOf(table: Channel<true>, { id, run }: Pick<Item, "id" | "run">): ChannelOps<unknown>[] {
  return [{ channel: table, ops: [{ put: [id, run.id], value: true }] } as ChannelOps<unknown>];
}

/** All jobs of the mode `tick` that are not plain runs. */
export const jobNames: readonly string[] = [...Object.keys(schedules), RETRIED];

/** The text of the line `n` in the log of each of their runs. */
export const lineOf = (n: number): string => `line ${n} ${"y".repeat(n % 50)}`;
