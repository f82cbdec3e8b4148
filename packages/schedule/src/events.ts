import { channel } from "node:diagnostics_channel";
import type { Decided } from "./decide/outcomes.js";

const TICK = channel("ojm:tick");
const GONE = channel("ojm:store:gone");

/**
 * Publishes what became of ticks on the diagnostics channel `ojm:tick`. It costs nothing while nobody
 * listens.
 */
export function tellTicks(schedule: string, ticks: readonly Decided[]): void {
  if (!TICK.hasSubscribers) return;
  for (const { at, value } of ticks) TICK.publish({ schedule, at, ...value });
}

/**
 * Publishes on the diagnostics channel `ojm:store:gone`, as `{ error }`, that the store of a scheduler was
 * deleted or replaced under this process, which runs no tick any more.
 */
export function tellGone(error: Error): void {
  GONE.publish({ error });
}
