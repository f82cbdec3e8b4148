import type { JobManager } from "@ojm/core";
import { duration } from "@ojm/ojob";
import { readFileCommand } from "../command.js";
import { CommandError } from "../errors.js";
import { withManager } from "../manager.js";
import { print } from "../print.js";
import { table } from "../table.js";

const DEFAULT_LIMIT = 20;

export const OPTIONS = { name: "value", limit: "value" } as const;

/** Shows the last runs of the job manager that a job file sets up. */
export async function execute(words: readonly string[]): Promise<number> {
  const { file, pairs, values } = await readFileCommand("history", words, OPTIONS);
  const name = values["name"]?.at(-1);
  const limit = Number(values["limit"]?.at(-1) ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1) throw new CommandError("--limit takes a whole number from 1 up");
  return withManager(file, pairs, async (manager) => print(await historyTable(manager, limit, name)));
}

/** The last runs as a table. */
export async function historyTable(manager: JobManager, limit: number, name?: string): Promise<string> {
  const rows: string[][] = [["RUN", "STARTED", "STATUS", "TOOK", "FENCE", "ERROR"]];
  for await (const run of manager.history({ limit, ...(name !== undefined && { name }) })) {
    const took = run.duration === undefined ? "" : duration(run.duration);
    rows.push([run.name, run.startDate, run.status, took, run.fence ?? "", run.error ?? ""]);
  }
  return rows.length > 1 ? table(rows) : "no runs yet\n";
}
