import { channel } from "node:diagnostics_channel";
import type { Decided } from "./decide/outcomes.js";

const TICK = channel("ojm:tick");
const ADDED = channel("ojm:schedule:added");

/**
 * Publishes what became of ticks on the diagnostics channel `ojm:tick`. It costs nothing while nobody
 * listens.
 */
export function tellTicks(schedule: string, ticks: readonly Decided[]): void {
  if (!TICK.hasSubscribers) return;
  for (const { at, value } of ticks) TICK.publish({ schedule, at, ...value });
}

/**
 * Publishes on the diagnostics channel `ojm:schedule:added`, as `{ schedule }`, that this process runs a
 * schedule: who counts its failures begins at 0.
 */
export function tellAdded(schedule: string): void {
  if (ADDED.hasSubscribers) ADDED.publish({ schedule });
}
