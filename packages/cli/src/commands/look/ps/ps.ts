import type { HeldLock, JobManager } from "@ojm/core";
import { expectNoMore } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { type Column, printItems } from "../../../output/items.js";
import { print } from "../../../output/print.js";
import { sayProgress } from "../../../output/progress.js";
import { oneLine } from "../../../output/table.js";
import { type SayTime, sayAttempt, sayTime } from "../../../output/times.js";
import { withStore } from "../../../store/open.js";
import { tellOrphans } from "../../exec/orphans.js";
import { keptOf, sayKept } from "../kept.js";
import { orphaned, type Running, running, sayElapsed, sayWhere } from "./running.js";

/** The chains that wait for an attempt, and keep their lock. They are no runs, so JSON has none of them. */
async function keptText(manager: JobManager, say: SayTime): Promise<string> {
  const kept = (await manager.locks()).filter(({ note }) => keptOf(note) !== undefined);
  const line = ({ name, note }: HeldLock): string => `${name} is kept between attempts: attempt ${sayKept(note, say)}`;
  return kept.map((lock) => `${oneLine(line(lock))}\n`).join("");
}

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
    if (!given.flags.has("json") && !given.flags.has("jsonl")) print(await keptText(manager, say));
    return undefined;
  });
}
