import type { JobManager, Key } from "@ojm/core";
import { type Clock, systemClock } from "@ojm/core/backend";
import { follow } from "../store/follow.js";
import { CHANNEL, type SchedulesValue } from "../store/schema.js";

/** Options of {@link followSchedules}. */
export interface FollowOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/**
 * Calls `changed` with the name of a schedule when one of its ticks was decided, when it was paused, resumed
 * or defined anew, or was removed. Resolves when it follows: what is read after that is not older. A store
 * that goes away is waited for.
 *
 * @throws ChannelError if the store fails
 * @example
 * const signal = AbortSignal.timeout(60_000);
 * await followSchedules(manager, (name) => console.log(name, "changed"), { signal });
 */
export async function followSchedules(
  manager: JobManager,
  changed: (name: string) => void,
  { signal, clock = systemClock }: FollowOptions,
): Promise<void> {
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  let follows = false;
  const tell = (key: Key): void => {
    const name: unknown = (key as readonly unknown[])[1];
    if (typeof name === "string" && follows && !signal.aborted) changed(name);
  };
  const followed = { put: tell, gone: tell, synced: () => {} };
  // The cursor moves with each decision. The ticks themselves are the history of a month.
  const kinds = ["schedule", "cursor"];
  await Promise.all(kinds.map((kind) => follow(channel, clock, [kind], followed, signal)));
  follows = true;
}
