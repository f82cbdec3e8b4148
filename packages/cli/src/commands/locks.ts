import type { JobManager } from "@ojm/core";
import { readFileCommand } from "../command.js";
import { withManager } from "../manager.js";
import { print } from "../print.js";
import { table } from "../table.js";

/** How many of the last runs are looked at for names of locks that are free. */
const RECENT = 100;

export const OPTIONS = {} as const;

/** Shows the locks of the job manager that a job file sets up. */
export async function execute(words: readonly string[]): Promise<number> {
  const { file, pairs } = await readFileCommand("locks", words, OPTIONS);
  return withManager(file, pairs, async (manager) => print(await locksTable(manager)));
}

/** The locks that are held, and those of the last runs that are free, as a table. */
export async function locksTable(manager: JobManager): Promise<string> {
  const rows: string[][] = [["LOCK", "STATE", "HOLDER", "SINCE", "WAITING"]];
  const held = await manager.locks();
  for (const { name, holder, since, waiting } of held) {
    const who = `${holder.host}, pid ${holder.pid}`;
    rows.push([name, "held", who, new Date(since).toISOString(), String(waiting)]);
  }
  const names = new Set<string>();
  for await (const { name } of manager.history({ limit: RECENT })) names.add(name);
  for (const { name } of held) names.delete(name);
  for (const name of [...names].sort()) rows.push([name, "free"]);
  return rows.length > 1 ? table(rows) : "no locks\n";
}
