import type { Channel, ChannelOps } from "../../channel/channel.js";
import type { Entry } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import { RunError } from "../errors.js";
import type { PendingRetry, StartClaim } from "../types.js";
import { pendingOp, pendingUnder } from "./pending.js";

/** Where the attempts that are to come are kept. */
interface Attempts {
  readonly lockChannel: Channel<unknown>;
  readonly clock: Clock;
}

/**
 * Removes the pending attempt in the commit that takes the lock for it, so that one process makes it. `more`:
 * what else is in that commit.
 */
export function claimOf(
  { lockChannel: channel, clock }: Attempts,
  { key, value, version }: Entry<PendingRetry>,
  more: readonly ChannelOps<unknown>[] = [],
): StartClaim {
  const { name, chain, attempt, schedule, tick } = value;
  return {
    ...(schedule !== undefined && tick !== undefined && { tick: { schedule, at: tick } }),
    ops: () => [{ channel, ops: [{ check: key, version }, { delete: key }] }, ...more],
    refused: async () => {
      if ((await pendingUnder(channel, name, chain))?.version === version) return;
      throw new RunError("LOST", name, `attempt ${attempt} of "${name}" was made or cancelled by another process`);
    },
    undo: () => [{ channel, ops: [{ check: key, version: null }, pendingOp(value, clock.now())] }],
  };
}
