import type { Holder, JobManager } from "@ojm/core";
import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption } from "../../command-line/units.js";
import { type Column, printItems } from "../../output/items.js";
import { sayTime } from "../../output/times.js";
import { withStore } from "../../store/open.js";

const LIMIT = 20;

/** Something that somebody did to the run or the lock of another. */
interface Act {
  readonly at: number;
  readonly action: "unlock" | "cancel";
  readonly name: string;
  /** Who did it. */
  readonly by: Holder;
  /** To whom. */
  readonly holder: Holder;
  readonly reason: string;
}

/** Shows who took locks by force, or cancelled runs, and why. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given, 1);
  const [name] = given.operands;
  const limit = countOption(given, "limit") ?? LIMIT;
  const say = sayTime(given);
  const who = ({ host, pid }: Holder): string => `${host}, pid ${pid}`;
  const columns: Column<Act>[] = [
    { title: "WHEN", cell: ({ at }) => say(at) },
    { title: "WHAT", cell: ({ action }) => action },
    { title: "JOB", cut: "name", cell: (act) => act.name },
    { title: "BY", rank: 4, cut: "text", cell: ({ by }) => who(by) },
    { title: "OF", rank: 5, cut: "text", cell: ({ holder }) => who(holder) },
    { title: "REASON", rank: 3, cut: "text", cell: ({ reason }) => reason },
  ];
  return withStore(given, async (manager) => {
    const all = [...(await unlocks(manager, name)), ...(await cancels(manager, name, limit))];
    all.sort((a, b) => b.at - a.at);
    await printItems(given, all.slice(0, limit), columns, "nobody took anything from anybody");
    return undefined;
  });
}

async function unlocks(manager: JobManager, name: string | undefined): Promise<Act[]> {
  const found: Act[] = [];
  for await (const { value } of manager.channels.locks.entries({
    prefix: name === undefined ? ["audit"] : ["audit", name],
  })) {
    if (!("lock" in value) || !("reason" in value)) continue;
    found.push({
      at: value.at,
      action: "unlock",
      name: value.name,
      by: value.by,
      holder: value.lock.holder,
      reason: value.reason,
    });
  }
  return found;
}

async function cancels(manager: JobManager, name: string | undefined, limit: number): Promise<Act[]> {
  const found: Act[] = [];
  const options = { status: "cancelled", ...(name !== undefined && { name }) } as const;
  for await (const { endedBy: end, endTime, startTime, holder, name: job } of manager.history(options)) {
    if (end?.action !== "cancel") continue;
    found.push({ at: endTime ?? startTime, action: "cancel", name: job, by: end.by, holder, reason: end.reason });
    if (found.length === limit) break;
  }
  return found;
}
