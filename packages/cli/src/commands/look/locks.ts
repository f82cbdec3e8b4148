import type { HeldLock, JobManager } from "@ojm/core";
import { readFile } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { colorOf } from "../../output/color.js";
import { type Column, itemsText } from "../../output/items.js";
import { print } from "../../output/print.js";
import { sayTime } from "../../output/times.js";
import { argsOf, openJobFile } from "../../store/job-file.js";
import { withStore } from "../../store/open.js";
import { type Orphan, orphansOf, tellOrphans } from "../exec/orphans.js";
import { holdOf, keptOf, sayKept } from "./kept.js";

/** How many of the last runs are looked at for names of locks that are free. */
const RECENT = 100;

interface Lock extends Partial<Omit<HeldLock, "name">> {
  readonly name: string;
  /** `hold`: a person keeps all runs away. `kept`: it is held between two attempts. */
  readonly state: "held" | "hold" | "kept" | "free";
  /** The command of `ojm exec` that goes on although its ojm was killed: the lock is free all the same. */
  readonly orphan?: Pick<Orphan, "host" | "pid">;
}

/** Shows the locks of a store, or of the job manager that a job file sets up. */
export async function execute(given: Given): Promise<number> {
  const show = async (manager: JobManager): Promise<undefined> => {
    print(await locksText(given, manager));
  };
  if (given.operands.length === 0) return withStore(given, show);
  const { file, pairs } = readFile(given);
  await using manager = await openJobFile(file, argsOf(pairs));
  await show(manager);
  return 0;
}

/** The locks that are held, and those of the last runs that are free. */
export async function locksText(given: Given, manager: JobManager): Promise<string> {
  const say = sayTime(given);
  const columns: Column<Lock>[] = [
    { title: "LOCK", cut: "name", cell: ({ name }) => name },
    { title: "STATE", cell: ({ state }) => state, color: ({ state }) => colorOf(state) },
    { title: "HOLDER", rank: 3, cut: "text", cell: holderText },
    { title: "SINCE", rank: 2, cell: ({ since }) => say(since) },
    { title: "WAITING", cell: ({ waiting }) => (waiting === undefined ? "" : String(waiting)) },
    { title: "NEXT ATTEMPT", cell: ({ note }) => sayKept(note, say) },
    { title: "UNTIL", cell: ({ note }) => say(holdOf(note)?.until) },
    { title: "WHY", cut: "text", cell: ({ note }) => holdOf(note)?.reason },
  ];
  const orphans = (await orphansOf(manager)).filter(({ isCertain }) => isCertain);
  tellOrphans(orphans);
  return itemsText(given, await locksOf(manager, orphans), columns, "no locks");
}

function holderText({ holder, note, orphan }: Lock): string | undefined {
  const { author } = holdOf(note) ?? {};
  // The process that took the hold is over by now: the person counts.
  if (author !== undefined) return author;
  if (orphan !== undefined) return `${orphan.host}, pid ${orphan.pid}, without ojm`;
  return holder && `${holder.host}, pid ${holder.pid}`;
}

function stateOf({ note }: HeldLock): Lock["state"] {
  if (holdOf(note) !== undefined) return "hold";
  return keptOf(note) === undefined ? "held" : "kept";
}

async function locksOf(manager: JobManager, orphans: readonly Orphan[]): Promise<Lock[]> {
  const held = (await manager.locks()).map((lock): Lock => ({ ...lock, state: stateOf(lock) }));
  const names = new Set<string>();
  for await (const { name } of manager.history({ limit: RECENT })) names.add(name);
  for (const { name } of held) names.delete(name);
  const free = [...names].sort().map((name): Lock => {
    const orphan = orphans.find((one) => one.name === name);
    return { name, state: "free", ...(orphan && { orphan: { host: orphan.host, pid: orphan.pid } }) };
  });
  return [...held, ...free];
}
