import { hostname } from "node:os";
import { ChannelError, type Clock, type JobManager } from "@ojm/core";
import { CHANNEL, type SchedulesValue } from "./schema.js";
import { ScheduleStore } from "./store.js";

/**
 * Opens the entries of the schedulers in the store of a manager. `instance`: the name of the scheduler that
 * writes them.
 *
 * @throws ChannelError `NOT_SUPPORTED` if one commit cannot write locks and schedules; as `manager.channel`
 */
export async function openScheduleStore(manager: JobManager, clock: Clock, instance: string): Promise<ScheduleStore> {
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  if (!manager.channels.locks.joins(channel as never)) {
    const text =
      "this store has each channel on a node of its own: schedules need them on one. In a Redis Cluster, give a keyPrefix with a hash tag";
    throw new ChannelError("NOT_SUPPORTED", text);
  }
  const by = { host: hostname(), pid: process.pid, instance };
  return new ScheduleStore(manager, channel, clock, by);
}
