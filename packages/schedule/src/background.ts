import { channel } from "node:diagnostics_channel";
import { isChannelError } from "@ojm/core";
import { emitWarning, LINES, visible } from "@ojm/core/internal";
import type { Decided } from "./decide/outcomes.js";

/**
 * Runs a background task. A `ChannelError` is dropped: the task is tried again. Any other error is a fault of
 * this package or of a backend: it becomes a process warning, so that it does not end a process that runs
 * jobs.
 */
export async function inBackground(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isChannelError(error)) return;
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    emitWarning("OJM_BACKGROUND", `in the background: ${visible(why, LINES)}`);
  }
}

/** Emits a process warning about a schedule. */
export function warn(text: string): void {
  emitWarning("OJM_SCHEDULE", visible(text));
}

const TICK = channel("ojm:tick");
const ADDED = channel("ojm:schedule:added");

/**
 * Publishes the outcome of ticks on the diagnostics channel `ojm:tick`. It costs nothing without a listener.
 */
export function publishTicks(schedule: string, ticks: readonly Decided[]): void {
  if (!TICK.hasSubscribers) return;
  for (const { at, value } of ticks) TICK.publish({ schedule, at, ...value });
}

/**
 * Publishes `{ schedule }` on the diagnostics channel `ojm:schedule:added` when this process adds a schedule,
 * so that a listener can start the counter of its failures at 0.
 */
export function publishAdded(schedule: string): void {
  if (ADDED.hasSubscribers) ADDED.publish({ schedule });
}
