import { expectNoMore } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { type Column, printItems } from "../../../output/items.js";
import { sayProgress } from "../../../output/progress.js";
import { sayAttempt, sayTime } from "../../../output/times.js";
import { withStore } from "../../../store/open.js";
import { tellOrphans } from "../../exec/orphans.js";
import { orphaned, type Running, running, sayElapsed, sayWhere } from "./running.js";

/** Shows what runs now. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  if (given.flags.has("watch")) return (await import("./watch.js")).watch(given);
  const say = sayTime(given);
  const columns: Column<Running>[] = [
    { title: "RUN", cut: "name", cell: ({ name }) => name },
    { title: "WHERE", rank: 4, cut: "text", cell: sayWhere },
    { title: "SINCE", rank: 5, cell: ({ startTime }) => say(startTime) },
    { title: "ELAPSED", rank: 1, cell: sayElapsed },
    { title: "PROGRESS", rank: 2, cut: "text", cell: ({ progress }) => progress && sayProgress(progress) },
    { title: "ATTEMPT", rank: 6, cell: sayAttempt },
    { title: "WAITING", rank: 3, cell: ({ waiting }) => (waiting === 0 ? "" : String(waiting)) },
    { title: "FENCE", cell: ({ fence }) => fence },
  ];
  return withStore(given, async (manager) => {
    const { runs, orphans } = await orphaned(manager);
    await printItems(given, [...(await running(manager)), ...runs], columns, "nothing runs");
    tellOrphans(orphans);
    return undefined;
  });
}
