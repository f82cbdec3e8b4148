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
    { title: "RUN", cell: ({ name }) => name },
    { title: "WHERE", cell: sayWhere },
    { title: "SINCE", cell: ({ startTime }) => say(startTime) },
    { title: "ELAPSED", cell: sayElapsed },
    { title: "PROGRESS", cell: ({ progress }) => progress && sayProgress(progress) },
    { title: "ATTEMPT", cell: sayAttempt },
    { title: "WAITING", cell: ({ waiting }) => (waiting === 0 ? "" : String(waiting)) },
    { title: "FENCE", cell: ({ fence }) => fence },
  ];
  return withStore(given, async (manager) => {
    const { runs, orphans } = await orphaned(manager);
    await printItems(given, [...(await running(manager)), ...runs], columns, "nothing runs");
    tellOrphans(orphans);
    return undefined;
  });
}
