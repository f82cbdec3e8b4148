import { type Channel, type HeldLock, type JobManager, parseRunId, type RunRecord, runId } from "@ojm/core";
import { processState, readable } from "@ojm/core/internal";
import type { Given } from "../../command-line/spec.js";
import { tell, wantsJson } from "../../output/print.js";
import { type CommandNote, isCommandNote, sayOjm } from "./predecessor.js";

/** A command that goes on, or may go on, although its ojm is gone: its run is over, and its lock is free. */
export interface Orphan {
  /** The name of the job. */
  readonly name: string;
  /** The id of the run that began it. */
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  /** Whether it certainly goes on. Of a process on another machine nobody can tell. */
  readonly isCertain: boolean;
  /** What became of its ojm, in words. */
  readonly ojm: string;
}

/** The ids of the runs whose locks are held. */
export function runsWithLock(locks: readonly HeldLock[]): ReadonlySet<string> {
  return new Set(
    locks.flatMap(({ name, note }) => {
      const { run: startTime } = (note ?? {}) as { readonly run?: unknown };
      return typeof startTime === "number" ? [runId({ name, startTime })] : [];
    }),
  );
}

/**
 * The commands of `ojm exec` that are still running although their ojm is gone, by the notes beside the
 * locks. `held`: the runs whose locks are held, if that is known.
 */
export async function orphansOf(manager: JobManager, held?: ReadonlySet<string>): Promise<Orphan[]> {
  const running = held ?? runsWithLock(await manager.locks());
  const orphans: Orphan[] = [];
  const notes = manager.channels.locks as Channel<unknown> as Channel<CommandNote>;
  for await (const { key, value } of readable(notes, { prefix: ["exec"] })) {
    const name = String((key as readonly unknown[])[1]);
    if (!isCommandNote(value, name)) continue;
    const { run, host, pid } = value;
    const state = processState(value);
    if (running.has(run) || state === "gone") continue;
    orphans.push({ name, run, host, pid, isCertain: state === "there", ojm: sayOjm(value) });
  }
  return orphans;
}

/** The record of the run that began a command. */
export async function recordOf(manager: JobManager, { run }: Orphan): Promise<RunRecord | undefined> {
  const ref = parseRunId(run);
  if (ref === undefined) return undefined;
  const { name, startTime } = ref;
  for await (const record of manager.history({ name, from: startTime, to: startTime + 1 })) return record;
  return undefined;
}

/** Tells of the commands that certainly go on: a table alone would not say what to do. JSON has them. */
export function tellOrphans(given: Given, orphans: readonly Orphan[]): void {
  if (wantsJson(given)) return;
  for (const orphan of orphans.filter(({ isCertain }) => isCertain))
    tell(`ojm: ${sayOrphan(orphan)}. ${sayHelp(orphan)}`);
}

/** That a command goes on, in words. */
export function sayOrphan({ name, host, pid, isCertain, ojm }: Orphan): string {
  return `the command of "${name}" ${isCertain ? "goes on" : "may go on"} as pid ${pid} on ${host}: ${ojm}`;
}

/** That a command is still running, and which runs it blocks: the sentences of the problem `orphaned`. */
export function commandText(orphan: Orphan): string {
  return `${sayOrphan(orphan)}. ${sayEffect(orphan)}`;
}

/** What to do about it. */
export function sayHelp(orphan: Orphan): string {
  if (orphan.isCertain) return `${sayEffect(orphan)}. To end it: ${helpCommand(orphan)}`;
  return `Look ${helpCommand(orphan)}. ${sayEffect(orphan)}`;
}

/** Whom it keeps from running. */
function sayEffect({ name, isCertain }: Orphan): string {
  if (!isCertain) return `An ojm exec of "${name}" on another machine does not wait for it`;
  return `Until it ends, no ojm exec of "${name}" on this machine begins`;
}

/** The command that ends it, or that shows on its host whether it is there. */
export function helpCommand({ host, pid, isCertain }: Orphan): string {
  if (!isCertain) return `on ${host}: ps -o pid,etime,args -p ${pid}`;
  // It leads a process group of its own.
  return `kill -TERM -- -${pid}`;
}

/** The command of a name that outlived its ojm, and what to do: sentences to stand behind another one. */
export async function outlived(manager: JobManager, name: string): Promise<string> {
  const orphan = (await orphansOf(manager)).find((one) => one.name === name);
  return orphan === undefined ? "" : `. But ${sayOrphan(orphan)}. ${sayHelp(orphan)}`;
}
