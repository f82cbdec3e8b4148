import { isChannelError, type Run } from "@ojm/core";
import type { ScheduleDefinition, Scheduler } from "@ojm/schedule";
import type { RanTick } from "./counting/counts.js";

/** Records when the bodies of ticks begin. Used as the body of all schedules. */
export class Witness {
  ran: RanTick[] = [];
  readonly body = ({ name, tick }: Run): void => {
    if (tick !== undefined) this.ran.push([name, tick.at, Date.now()]);
  };
}

const nameOf = (i: number): string => `nightly report of region ${i}`;

/** Fifty processes that start at once may keep a store busy for longer than a call waits. */
async function patiently(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isChannelError(error) || !error.retryable) throw error;
    }
  }
}

/** Adds this many schedules, several at once. */
export async function addAll(
  scheduler: Scheduler,
  { body }: Witness,
  count: number,
  define: (i: number) => ScheduleDefinition,
  atOnce: number,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await patiently(() => scheduler.add(nameOf(i), define(i), body));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
