import type { Channel } from "../../channel/channel.js";
import type { Operator } from "../../locks/operator.js";
import type { PendingRetry } from "../types.js";
import { pendingOf } from "./pending.js";

/** Whether the process that was to make an attempt is gone, or there was none. */
export async function isLeft(operator: Operator, { by }: PendingRetry): Promise<boolean> {
  return by === undefined || (await operator.isGone(by));
}

/** The attempts that are left, of one name or of all names. */
export async function leftOf(operator: Operator, channel: Channel<unknown>, name?: string): Promise<PendingRetry[]> {
  const all = (await pendingOf(channel, name)).map(({ value }) => value);
  const left = await Promise.all(all.map((next) => isLeft(operator, next)));
  return all.filter((_, i) => left[i]);
}
