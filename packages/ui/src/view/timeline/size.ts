import type { Lane } from "../../contract/types.js";

/** A time, and a date in the id of a run, as JSON. */
const TIME = 13;
const DATE = 24;

/** How long a lane is as JSON. To write thousands of bars twice would take as long as to read them. */
export function sizeOf({ name, bars, ticks }: Lane): number {
  const named = JSON.stringify(name).length;
  let size = named + JSON.stringify(ticks).length + '{"lane":{"name":,"bars":[],"ticks":}},'.length;
  for (const [, , status, count, more] of bars) {
    size += 2 * TIME + status.length + String(count).length + '[,,"",],'.length;
    if (typeof more === "string") size += named + DATE + 2;
    else if (more !== undefined) size += JSON.stringify(more).length + 1;
  }
  return size;
}
