import type { Lane } from "../../contract/timeline.js";

/** A time, and a date in the id of a run, as JSON. */
const TIME = 13;
const DATE = 24;

/** How long a lane is as JSON. To write thousands of bars twice would take as long as to read them. */
export function sizeOf({ name, bars, ticks }: Lane): number {
  const named = JSON.stringify(name).length;
  let size = named + JSON.stringify(ticks).length + '{"lane":{"name":,"bars":[],"ticks":}},'.length;
  for (const bar of bars) {
    size += 2 * TIME + bar[2].length + String(bar[3]).length + '[,,"",],'.length;
    if (bar.length === 5) size += named + DATE + 2;
  }
  return size;
}
