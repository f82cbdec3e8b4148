import type { JobManager, RunRecord } from "@ojm/core";
import { nearest } from "@ojm/core/backend";
import { duration } from "@ojm/ojob";
import { readFileCommand } from "../command.js";
import { CommandError } from "../errors.js";
import { withManager } from "../manager.js";
import { print } from "../print.js";
import { oneLine, table } from "../table.js";

const DEFAULT_LIMIT = 20;
/** How many of the last runs are looked at for names. */
const RECENT = 1_000;
/** How many names are shown: more than a screen holds help nobody. */
const MOST_NAMES = 20;

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
  const rows: string[][] = [["RUN", "STARTED", "STATUS", "TOOK", "FENCE", "ERROR OR WARNING"]];
  for await (const run of manager.history({ limit, ...(name !== undefined && { name }) })) {
    const took = run.duration === undefined ? "" : duration(run.duration);
    rows.push([run.name, run.startDate, run.status, took, run.fence ?? "", trouble(run)]);
  }
  if (rows.length > 1) return table(rows);
  return name === undefined ? "no runs yet\n" : `${oneLine(await neverRan(manager, name), Number.POSITIVE_INFINITY)}\n`;
}

/** Why a run did not complete, and the failures of steps after which it went on. */
function trouble({ error, result }: RunRecord): string {
  const { warnings = [] } = (result ?? {}) as { readonly warnings?: unknown };
  // A program's own result may have a field of that name, too.
  const texts = Array.isArray(warnings) ? warnings.filter((one) => typeof one === "string") : [];
  const heading = texts.length === 1 ? "warning: " : `${texts.length} warnings: `;
  return [error ?? [], texts.length === 0 ? [] : `${heading}${texts.join("; ")}`].flat().join("; ");
}

/** Tells of a name without runs, and which names have some: it may be misspelt. */
async function neverRan(manager: JobManager, name: string): Promise<string> {
  const names = new Set<string>();
  for await (const run of manager.history({ limit: RECENT })) names.add(run.name);
  const near = nearest(name, names);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  const known = [...names].sort().slice(0, MOST_NAMES);
  const more = names.size > known.length ? ", …" : "";
  const others = known.length === 0 ? " No other name has runs." : ` Names that have runs: ${known.join(", ")}${more}.`;
  return `"${name}" never ran.${hint}${others}`;
}
