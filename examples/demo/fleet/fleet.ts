import { changingZone, type Times } from "../world/times.js";
import { imports } from "./imports.js";
import type { DemoJob } from "./job.js";
import { nightly } from "./nightly.js";
import { polling } from "./polling.js";
import { partnerFeed, upkeep } from "./upkeep.js";

/** All jobs of the demo. One of them is about a change of clocks, if one happens in that time. */
export function fleetOf(times: Times): readonly DemoJob[] {
  const zone = changingZone(times);
  return [...nightly, ...polling, ...imports, ...upkeep, ...(zone === undefined ? [] : [partnerFeed(zone)])];
}
