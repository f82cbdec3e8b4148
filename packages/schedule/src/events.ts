import { channel } from "node:diagnostics_channel";
import type { Decided } from "./decide/outcomes.js";

const TICK = channel("ojm:tick");

/**
 * Publishes what became of ticks on the diagnostics channel `ojm:tick`. It costs nothing while nobody
 * listens.
 */
export function tellTicks(schedule: string, ticks: readonly Decided[]): void {
  if (!TICK.hasSubscribers) return;
  for (const { at, value } of ticks) TICK.publish({ schedule, at, ...value });
}
