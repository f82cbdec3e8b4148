import { type Channel, type HeldLock, type JobManager, parseRunId, type RunRecord } from "@ojm/core";
import { processState, readable, recordAt, runIdOf } from "@ojm/core/internal";
import type { Given } from "../../command-line/spec.js";
import { printError, wantsJson } from "../../output/print.js";
import { type CommandNote, isCommandNote, sayOjm } from "./predecessor.js";

/**
 * A command that is, or may be, still running although its ojm is gone: its run has ended, and its lock is
 * free.
 */
export interface Orphan {
  /** The name of the job. */
  readonly name: string;
  /** The id of the run that started it. */
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  /** Whether it is certainly running. This cannot be checked for a process on another machine. */
  readonly isCertain: boolean;
  /** The state of its ojm, as text. */
  readonly ojm: string;
  /** Set if it is the command of an item of the queue `name`, by `ojm queue work`. */
  readonly isOfItem?: true;
}

/** The ids of the runs whose locks are held. */
export function runsWithLock(locks: readonly HeldLock[]): ReadonlySet<string> {
  return new Set(locks.flatMap((lock) => runIdOf(lock) ?? []));
}

/**
 * The commands of `ojm exec` and `ojm queue work` that are, or may be, still running although their ojm is
 * gone, from the notes beside the locks. `held`: the runs whose locks are held, if that is known.
 */
export async function orphansOf(manager: JobManager, held?: ReadonlySet<string>): Promise<Orphan[]> {
  const running = held ?? runsWithLock(await manager.heldLocks());
  const orphans: Orphan[] = [];
  const notes = manager.channels.locks as Channel<unknown> as Channel<CommandNote>;
  for await (const { key, value } of readable(notes, { prefix: ["exec"] })) {
    if (!isCommandNote(value)) continue;
    const { run, host, pid } = value;
    const name = parseRunId(run)?.name ?? run;
    const state = processState(value);
    if (running.has(run) || state === "gone") continue;
    const isOfItem = String((key as readonly unknown[])[1]).startsWith(`queue/${name}/`);
    const orphan = { name, run, host, pid, isCertain: state === "there", ojm: sayOjm(value) };
    orphans.push({ ...orphan, ...(isOfItem && { isOfItem }) });
  }
  return orphans;
}

/** The record of the run that started a command. */
export async function recordOf(manager: JobManager, { run }: Orphan): Promise<RunRecord | undefined> {
  const ref = parseRunId(run);
  return ref && (await recordAt(manager, ref));
}

/** Prints what to do about the commands that are certainly still running, but not beside JSON. */
export function tellOrphans(given: Given, orphans: readonly Orphan[]): void {
  if (wantsJson(given)) return;
  for (const orphan of orphans.filter(({ isCertain }) => isCertain))
    printError(`ojm: ${sayOrphan(orphan)}. ${sayHelp(orphan)}`);
}

/** Says that a command is still running. */
export function sayOrphan({ name, host, pid, isCertain, ojm }: Orphan): string {
  return `the command of "${name}" ${isCertain ? "is still running" : "may still be running"} as pid ${pid} on ${host}: ${ojm}`;
}

/** Says that a command is still running, and which runs it blocks: the text of the problem `orphaned`. */
export function commandText(orphan: Orphan): string {
  return `${sayOrphan(orphan)}. ${sayEffect(orphan)}`;
}

/** What to do about it. */
export function sayHelp(orphan: Orphan): string {
  if (orphan.isCertain) return `${sayEffect(orphan)}. To end it: ${helpCommand(orphan)}`;
  return `Check ${helpCommand(orphan)}. ${sayEffect(orphan)}`;
}

/** The runs that it blocks. */
function sayEffect({ name, isCertain, isOfItem }: Orphan): string {
  if (isOfItem)
    return isCertain
      ? "Until it ends, no ojm queue work on this machine begins the next attempt of its item"
      : "An ojm queue work on another machine does not wait for it";
  if (!isCertain) return `An ojm exec of "${name}" on another machine does not wait for it`;
  return `Until it ends, no ojm exec of "${name}" on this machine begins`;
}

/** The command that ends it, or that checks on its host whether it is running. */
export function helpCommand({ host, pid, isCertain }: Orphan): string {
  return isCertain ? endCommand({ pid }) : `on ${host}: ps -o pid,etime,args -p ${pid}`;
}

/** The command that ends it, on its host. */
export function endCommand({ pid }: Pick<Orphan, "pid">): string {
  // It leads a process group of its own.
  return `kill -TERM -- -${pid}`;
}

/** Text about the command of a name that outlived its ojm, and what to do. It follows another sentence. */
export async function outlived(manager: JobManager, name: string): Promise<string> {
  const orphan = (await orphansOf(manager)).find((one) => one.name === name);
  return orphan === undefined ? "" : `. But ${sayOrphan(orphan)}. ${sayHelp(orphan)}`;
}
