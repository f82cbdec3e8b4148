import { type Channel, type JobManager, parseRunId, type RunRecord, runId } from "@ojm/core";
import { processState, readable } from "@ojm/core/internal";
import type { Given } from "../../command-line/spec.js";
import { wantsJson } from "../../output/print.js";
import { tell } from "../../output/tell.js";
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

/** The commands of `ojm exec` that go on although their ojm is gone, by the notes beside the locks. */
export async function orphansOf(manager: JobManager): Promise<Orphan[]> {
  const held = new Set<string>();
  for (const { name, note } of await manager.locks()) {
    const start = (note as { readonly run?: unknown } | undefined)?.run;
    if (typeof start === "number") held.add(runId({ name, startTime: start }));
  }
  const orphans: Orphan[] = [];
  const notes = manager.channels.locks as Channel<unknown> as Channel<CommandNote>;
  for await (const { key, value } of readable(notes, { prefix: ["exec"] })) {
    const name = String((key as readonly unknown[])[1]);
    if (!isCommandNote(value, name)) continue;
    const { run, host, pid } = value;
    const state = processState(value);
    if (held.has(run) || state === "gone") continue;
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

/** What to do about it. */
export function sayHelp(orphan: Orphan): string {
  if (orphan.isCertain) return `${sayEffect(orphan)}. To end it: ${helpCommand(orphan)}`;
  return `Look ${helpCommand(orphan)}. ${sayEffect(orphan)}`;
}

/** Whom it keeps from running. */
export function sayEffect({ name, isCertain }: Orphan): string {
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
