import type { Maintenance } from "@ojm/core";
import { runsUnder } from "@ojm/core/internal/operator";
import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { type Column, printItems } from "../../output/items.js";
import { sayTime } from "../../output/times.js";
import { withStore } from "../../store/open.js";

/** A maintenance, and the runs that are still in progress. */
export interface ShownMaintenance extends Maintenance {
  /** The ids of the runs of its names that are in progress, or wait for their next attempt. */
  readonly runs: readonly string[];
}

/** Shows the current maintenance. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  const say = sayTime(given);
  const columns: Column<ShownMaintenance>[] = [
    { title: "NAMES", rank: 1, cut: "name", cell: ({ names }) => names },
    { title: "SINCE", cell: ({ at }) => say(at) },
    { title: "UNTIL", rank: 2, cell: ({ until }) => say(until) },
    { title: "STILL RUNNING", rank: 3, cell: ({ runs }) => String(runs.length) },
    { title: "BY", rank: 4, cell: ({ by }) => by },
    { title: "REASON", cut: "text", cell: ({ reason }) => reason },
  ];
  return withStore(given, async (manager) => {
    const shown: ShownMaintenance[] = [];
    for (const one of await manager.maintenance()) shown.push({ ...one, runs: await runsUnder(manager, one.names) });
    await printItems(given, shown, columns, "no maintenance");
  });
}
