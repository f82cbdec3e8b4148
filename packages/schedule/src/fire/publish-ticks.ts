import { EventChannel } from "@ojm/core/internal";
import type { Decided } from "../decide/outcomes.js";

/** The outcome of each tick. */
const TICK: EventChannel<object> = new EventChannel("ojm:tick");

/** Publishes the outcomes of ticks as events, and passes each to `onTick`. */
export function publishTicks(
  schedule: string,
  ticks: readonly Decided[],
  onTick: (tick: Decided["value"] & { readonly schedule: string; readonly at: number }) => void = () => {},
): void {
  for (const { at, value } of ticks) {
    const tick = { schedule, at, ...value };
    TICK.publish(() => tick);
    onTick(tick);
  }
}
