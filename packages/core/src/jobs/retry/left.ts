import type { Channel } from "../../channel/channel.js";
import type { Operator } from "../../locks/operator.js";
import type { PendingRetry, Run } from "../types.js";
import { pendingOf, pendingUnder, retryKey } from "./pending.js";

/** Whether the process that was to make an attempt is gone, or there was none. */
export async function isLeft(operator: Operator, { by }: PendingRetry): Promise<boolean> {
  return by === undefined || (await operator.isGone(by));
}

/** The attempts that are left: of one name, of all names, or of those that were just read. */
export async function leftOf(
  operator: Operator,
  channel: Channel<unknown>,
  of?: string | readonly PendingRetry[],
): Promise<readonly PendingRetry[]> {
  const isRead = typeof of === "object";
  const all = isRead ? of : (await pendingOf(channel, of)).map(({ value }) => value);
  const left = await Promise.all(all.map((next) => isLeft(operator, next)));
  return all.filter((_, i) => left[i]);
}

/** Removes an attempt that is left, under the lock of a run. Resolves to whether it was still left. */
export async function endLeft(
  channel: Channel<unknown>,
  run: Run,
  { name, chain, by }: PendingRetry,
): Promise<boolean> {
  const entry = await pendingUnder(channel, name, chain);
  // Another process may have taken it over at this moment.
  if (entry === undefined || entry.value.by?.instance !== by?.instance) return false;
  const key = retryKey(name, chain);
  const { ok } = await run.fenced(channel, [{ check: key, version: entry.version }, { delete: key }]);
  return ok;
}
