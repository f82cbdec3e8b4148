import { existsSync } from "node:fs";
import type { HeldLock, JobManager, Waiter } from "@ojm/core";
import { holdOf } from "@ojm/core/internal";
import type { Given } from "../../command-line/spec.js";
import { colorOf } from "../../output/color.js";
import { type Column, itemsText } from "../../output/items.js";
import { print, wantsJson } from "../../output/print.js";
import { oneLine } from "../../output/table.js";
import { type SayTime, sayTime } from "../../output/times.js";
import { fileOperands, openJobFile } from "../../store/job-file.js";
import { withStore } from "../../store/open.js";
import { type Orphan, orphansOf, runsWithLock, tellOrphans } from "../exec/orphans.js";
import { sayWaiters } from "./ps/running.js";
import { comingOf, type NextAttempt, nextAttempt, refuseIfNone, sayDue } from "./retry-series.js";

/** How many of the last runs are searched for names of locks that are free. */
const RECENT = 100;

/** A lock that is held, or that one of the last runs had. */
export interface Lock extends Partial<Omit<HeldLock, "name">> {
  readonly name: string;
  /** `hold`: a user keeps all runs away. */
  readonly state: "held" | "hold" | "free";
  /** The command of `ojm exec` that is still running although its ojm was killed. The lock is free. */
  readonly orphan?: Pick<Orphan, "host" | "pid">;
  /** The waiters, in the order in which they will get the lock. */
  readonly waiters?: readonly Waiter[];
  /** The next attempt of a retry series that waits for it. */
  readonly next?: NextAttempt;
}

/** Shows the locks of a store, those of one name, or those of the job manager that a job file sets up. */
export async function execute(given: Given): Promise<number> {
  const [word, ...more] = given.operands;
  if (word === undefined || (more.length === 0 && !isFile(word)))
    return withStore(given, async (manager) => void print(await locksText(given, manager, word)));
  const { file, args } = fileOperands(given);
  await using manager = await openJobFile(file, args);
  print(await locksText(given, manager));
  return 0;
}

/** Whether a word means a job file. Any other word is the name of a job, which operators type. */
function isFile(word: string): boolean {
  return /\.(ya?ml|json)$/i.test(word) || existsSync(word);
}

/** The held locks, and the free locks of the last runs: of all names, or of one. */
export async function locksText(given: Given, manager: JobManager, name?: string): Promise<string> {
  const say = sayTime(given);
  const columns: Column<Lock>[] = [
    { title: "LOCK", cut: "name", cell: ({ name }) => name },
    { title: "STATE", cell: ({ state }) => state, color: ({ state }) => colorOf(state) },
    { title: "HOLDER", rank: 3, cut: "text", cell: holderText },
    { title: "SINCE", rank: 2, cell: ({ since }) => say(since) },
    { title: "WAITING", cell: ({ waiting }) => (waiting === undefined ? "" : String(waiting)) },
    { title: "NEXT ATTEMPT", cell: ({ next }) => next && sayNext(next, say) },
    { title: "UNTIL", cell: (lock) => say(holdOf(lock)?.until) },
    { title: "WHY", cut: "text", cell: (lock) => holdOf(lock)?.reason },
  ];
  const isMeant = (one: { readonly name: string }): boolean => name === undefined || one.name === name;
  const held = await manager.heldLocks();
  const orphans = (await orphansOf(manager, runsWithLock(held))).filter((one) => one.isCertain && isMeant(one));
  const shown = (await locksOf(manager, held, orphans)).filter(isMeant);
  await refuseIfNone(manager, name, shown);
  tellOrphans(given, orphans);
  const text = await itemsText(given, shown, columns, name === undefined ? "no locks" : `"${name}" has no lock`);
  if (wantsJson(given)) return text;
  const waited = shown.flatMap(({ waiting = 0, ...lock }) => sayWaiters({ ...lock, waiting }));
  return text + waited.map((line) => `${oneLine(line)}\n`).join("");
}

function sayNext({ attempt, attempts, due, orphaned }: NextAttempt, say: SayTime): string {
  return `${attempt} of ${attempts}, ${sayDue(say(due), orphaned)}`;
}

function holderText(lock: Lock): string | undefined {
  const { holder, orphan } = lock;
  const { author } = holdOf(lock) ?? {};
  // The process that took the hold has ended by now: the user matters.
  if (author !== undefined) return author;
  if (orphan !== undefined) return `${orphan.host}, pid ${orphan.pid}, without ojm`;
  return holder && `${holder.host}, pid ${holder.pid}`;
}

async function locksOf(manager: JobManager, all: readonly HeldLock[], orphans: readonly Orphan[]): Promise<Lock[]> {
  const coming = new Map((await comingOf(manager)).reverse().map((one) => [one.name, one]));
  const nextOf = (name: string): Pick<Lock, "next"> => {
    const next = coming.get(name);
    return next === undefined ? {} : { next: nextAttempt(next) };
  };
  const held = await Promise.all(
    all.map(async (lock): Promise<Lock> => {
      const waiters = lock.waiting === 0 ? undefined : await manager.waiters(lock.name);
      const state = holdOf(lock) === undefined ? "held" : "hold";
      return { ...lock, ...(waiters && { waiters }), state, ...nextOf(lock.name) };
    }),
  );
  const names = new Set<string>();
  for await (const { name } of manager.history({ limit: RECENT })) names.add(name);
  for (const name of coming.keys()) names.add(name);
  for (const { name } of held) names.delete(name);
  const free = [...names].sort().map((name): Lock => {
    const orphan = orphans.find((one) => one.name === name);
    return { name, state: "free", ...nextOf(name), ...(orphan && { orphan: { host: orphan.host, pid: orphan.pid } }) };
  });
  return [...held, ...free];
}
