import type { Channel, ChannelOps } from "../../channel/channel.js";
import type { Entry } from "../../channel/types.js";
import type { LocksValue } from "../../locks/entries/schema.js";
import { isRunError } from "../errors.js";
import { pendingOf } from "../retry/pending.js";
import { claimOf } from "../retry/pending-claim.js";
import type { RunContext } from "../run/context.js";
import { startRun } from "../run/start-run.js";
import { parseRunId } from "../run-id.js";
import type { CancelOptions, PendingRetry, RunRecord } from "../types.js";
import { auditOps } from "./audit.js";

/**
 * Ends the chains that wait for their next attempt while the lock is free: of a name, or the one with this
 * id. The attempt begins in this process, and ends as cancelled without a body. So the cancel has its record,
 * and whoever waits to make the attempt finds it made.
 *
 * @returns the record of the last one; `undefined` if none waits, or if each began at the same moment
 * @throws RunError `LOCKED` if another run, or a hold, has the lock
 */
export async function cancelPending(
  context: RunContext,
  nameOrId: string,
  options: CancelOptions,
): Promise<RunRecord | undefined> {
  let cancelled: RunRecord | undefined;
  for (const pending of await pendingFor(context, nameOrId)) {
    cancelled = (await cancelOne(context, pending, options)) ?? cancelled;
  }
  return cancelled;
}

async function pendingFor({ lockChannel }: RunContext, nameOrId: string): Promise<Entry<PendingRetry>[]> {
  const named = await pendingOf(lockChannel, nameOrId);
  const name = parseRunId(nameOrId)?.name;
  if (named.length > 0 || name === undefined) return named;
  return (await pendingOf(lockChannel, name)).filter(({ value: { chain } }) => chain === nameOrId);
}

async function cancelOne(
  context: RunContext,
  pending: Entry<PendingRetry>,
  { reason, author, signal }: CancelOptions,
): Promise<RunRecord | undefined> {
  const { name, chain, attempt, retry, trigger, timeout, args, meta } = pending.value;
  const by = await context.locks.operator.holder();
  const act = { action: "cancel", name, reason, by, ...(author !== undefined && { author }), details: { chain } };
  const noted = auditOps(context.lockChannel as Channel<LocksValue>, context.clock, act) as ChannelOps<unknown>;
  const more = { ...(args && { args }), ...(meta && { meta }), ...(signal && { signal }) };
  const options = { trigger, timeout, wait: 0, claim: claimOf(context, pending, [noted]), ...more };
  try {
    const run = await startRun(context, name, options, { attempt, chain, retry });
    const who = { by, reason, ...(author !== undefined && { author }) };
    run.requested({ name, fence: run.fence, action: "cancel", at: context.clock.now(), ...who });
    return await run.cancel(run.stopped instanceof Error ? run.stopped.message : reason);
  } catch (error) {
    // Its process, or another one, made the attempt at this moment.
    if (isRunError(error) && error.code === "LOST") return undefined;
    throw error;
  }
}
